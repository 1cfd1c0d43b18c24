/**
 * Hostile peers: each call of `join` makes one that speaks the protocols of the network with a key of its own and lies as told. All peers
 * of a process serve from one true library; what is wrong is what a peer makes of it.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { nameKey } from '../../../discovery/index.ts'
import { sealAddresses } from '../../../discovery/peers/peer-record.ts'
import { createReleaseRecord, type Library } from '../../../library/index.ts'
import { ExchangeClient, PROVIDE, quicTransport } from '../../../protocols/index.ts'
import { SigningKey } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'
import { tarOf } from '../support.ts'
import { type AttackKind, attack } from './hostile-attacks.ts'
import { type ContentLie, serveContent } from './hostile-content.ts'
import { NETWORK, type RecordLie, serveRecordLies } from './hostile-records.ts'
import { STRUCTURES, type Structure } from './hostile-structures.ts'

const DAY_S = 24 * 60 * 60

export interface JoinArgs {
  /** Address of the daemon to join. */
  target: string
  records?: RecordLie
  content?: ContentLie
}

export interface ReleaseArgs {
  name: string
  files: Record<string, string | Uint8Array>
  /** What the record states wrongly, or what its content is instead of the files. */
  structure?: Structure
}

export interface HostileRelease {
  id: string
  /** The signed record in base64. */
  record: string
  /** The files as a tar in base64. */
  tar: string
}

interface Peer {
  readonly node: Libp2p
  readonly privateKey: PrivateKey
  readonly target: string
}

export class HostilePeers {
  readonly #library: Library
  readonly #listen: string
  readonly #owner = SigningKey.generate()
  readonly #peers: Peer[] = []

  /** With a library in a folder that goes with the process, which is to remove it. */
  static async open(listen = '/ip4/127.0.0.1/udp/0/quic-v1'): Promise<{ peers: HostilePeers; home: string }> {
    const home = await mkdtemp(join(tmpdir(), 'catalog-hostile-'))
    const library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
    return { peers: new HostilePeers(library, listen), home }
  }

  private constructor(library: Library, listen: string) {
    this.#library = library
    this.#listen = listen
  }

  /** Makes a peer, connects it to its target; returns its number and peer id. */
  async join({ target, records = 'truth', content = 'truth' }: JoinArgs) {
    const privateKey = await generateKeyPair('Ed25519')
    const protocolPrefix = `catalog/${NETWORK}`
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: [this.#listen] },
      transports: [quicTransport()],
      connectionMonitor: { enabled: false },
      services: { identify: identify({ protocolPrefix }), ping: ping({ protocolPrefix }) }
    })
    const library = this.#library
    await serveRecordLies({ node, library }, records)
    await serveContent({ node, library }, content)
    await node.dial(multiaddr(target))
    this.#peers.push({ node, privateKey, target })
    return { number: this.#peers.length - 1, peerId: node.peerId.toString() }
  }

  /** Makes a release that this process's peers know. */
  async release({ name, files, structure }: ReleaseArgs): Promise<HostileRelease> {
    const tar = await tarOf(files)
    const ingest = await this.#library.content.beginIngest({})
    await ingest.write(Uint8Array.from(tar))
    const stored = await ingest.finish()
    const content =
      structure === undefined ? stored : await STRUCTURES[structure](this.#library.content, stored)
    const now = Date.now()
    const record = createReleaseRecord(
      {
        name,
        version: '1.0.0',
        type: 'package',
        content: content.content,
        sizeBytes: content.sizeBytes,
        files: content.files,
        publishedAt: now,
        sequence: now
      },
      this.#owner
    )
    await this.#library.registry.publish(record.bytes)
    return {
      id: record.id.toString(),
      record: Buffer.from(record.bytes).toString('base64'),
      tar: tar.toString('base64')
    }
  }

  /** Tells the target, as an honest holder would, that a peer holds a name. */
  async announce({ number, name }: { number: number; name: string }) {
    const { node, privateKey, target } = this.#peers[number]!
    const peerRecord = await sealAddresses(privateKey, node.getMultiaddrs(), BigInt(Date.now()))
    const address = multiaddr(target)
    const peerId = node.getConnections()[0]!.remotePeer
    const signal = AbortSignal.timeout(10_000)
    const client = await ExchangeClient.open(node, PROVIDE, NETWORK, { peerId, addresses: [address] }, signal)
    const answer = await client.ask({ peerRecord, keys: nameKey(name), lifetimeS: DAY_S })
    client.close()
    return { verdicts: [...answer.verdicts] }
  }

  /** Runs an attack of a peer on its target until it is through or was cut. */
  async attack({ number, kind, record }: { number: number; kind: AttackKind; record: string }) {
    const { node, privateKey, target } = this.#peers[number]!
    return await attack(kind, { node, privateKey, target: multiaddr(target), record: CID.parse(record) })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.map(({ node }) => node.stop()))
    await this.#library.close()
  }
}
