/**
 * A peer that speaks the real protocols over real QUIC and asks whatever it likes: no daemon, so nothing of ours keeps it from a
 * question. It answers as a node of the network does, and keeps what it is told unasked: which libraries others watch at it, which
 * heads they tell it, and which keys they want it to keep.
 */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { sealAddresses } from '../../../discovery/peers/peer-record.ts'
import { newHead, watchHeads } from '../../../protocols/heads/types.ts'
import {
  type Control,
  createControl,
  ExchangeClient,
  type ExchangeType,
  FIND,
  PROVIDE,
  protocolId,
  quicTransport,
  type RequestType,
  type StatusFields,
  serveExchange,
  splitKeys,
  type TracedRequest
} from '../../../protocols/index.ts'
import { getRecords, listReleases } from '../../../protocols/records/types.ts'
import type { TestDaemon } from '../../daemon/support.ts'

/** The network of a home that nobody configured. */
export const NETWORK = 'main'
const ASK_MS = 20_000
/** As all of a test's questions come from one place, nothing is refused for coming too often. */
const UNLIMITED = { perSecond: 1e6, burst: 1e6 }

/** What others have told a peer without being asked, and asked it for, in hex. */
export interface Heard {
  readonly watched: Set<string>
  readonly heads: Set<string>
  /** That they want it to keep. */
  readonly keys: Set<string>
  /** Keys that they look for, in turn. */
  readonly sought: string[]
  /** Names and ids of records that they ask for. */
  readonly asked: Set<string>
}

export interface RawPeerOptions {
  /** Tells who asks for a key which of its peers claim it, and nobody where any other peer is: those meet by what they claim, or not at all. */
  readonly isHub?: boolean
}

export class RawPeer {
  readonly node: Libp2p
  readonly privateKey: PrivateKey
  readonly control: Control
  readonly heard: Heard = {
    watched: new Set(),
    heads: new Set(),
    keys: new Set(),
    sought: [],
    asked: new Set()
  }
  /** By key in hex: the last claim of each peer. */
  readonly #claims = new Map<string, Map<string, Uint8Array>>()

  static async start({ isHub = false }: RawPeerOptions = {}): Promise<RawPeer> {
    const privateKey = await generateKeyPair('Ed25519')
    const protocolPrefix = `catalog/${NETWORK}`
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] },
      transports: [quicTransport()],
      connectionMonitor: { enabled: false },
      connectionManager: { inboundConnectionThreshold: 100 },
      services: {
        identify: identify({ protocolPrefix }),
        ping: ping({ protocolPrefix }),
        dht: kadDHT({
          protocol: `/${protocolPrefix}/kad/1.0.0`,
          clientMode: false,
          peerInfoMapper: isHub ? ({ id }) => ({ id, multiaddrs: [] }) : passthroughMapper
        })
      }
    })
    const peer = new RawPeer(node as unknown as Libp2p, privateKey)
    await peer.#serve(isHub)
    return peer
  }

  private constructor(node: Libp2p, privateKey: PrivateKey) {
    this.node = node
    this.privateKey = privateKey
    this.control = createControl(
      { libp2p: node, log: silentLogger, clock: systemClock },
      { networkId: NETWORK, agent: 'outsider/1' }
    )
  }

  get peerId(): string {
    return this.node.peerId.toString()
  }

  /** Connects to a daemon and stays connected. */
  async join(daemon: TestDaemon): Promise<void> {
    await this.node.dial(multiaddr(daemon.address))
  }

  /** The connections with a daemon, by id: none of them may end for what was asked. */
  connectionsWith(daemon: TestDaemon): string[] {
    return this.node.getConnections(peerIdFromString(daemon.peerId)).map(({ id }) => id)
  }

  /** One request on the control stream. */
  async request<Q, A>(daemon: TestDaemon, type: RequestType<Q, A>, message: Partial<Q>): Promise<A> {
    return await this.control.request(peerIdFromString(daemon.peerId), type, message, { timeoutMs: ASK_MS })
  }

  async openStream(daemon: TestDaemon, name: string): Promise<Stream> {
    const connection = this.node.getConnections(peerIdFromString(daemon.peerId))[0]
    if (connection === undefined) throw new Error('the connection is gone')
    return await connection.newStream(protocolId(NETWORK, name, 1), { signal: AbortSignal.timeout(ASK_MS) })
  }

  /** One request of a short stream. */
  async exchange<Q extends TracedRequest, A extends StatusFields>(
    daemon: TestDaemon,
    type: ExchangeType<Q, A>,
    request: Partial<Q>
  ): Promise<A> {
    const peerId: PeerId = peerIdFromString(daemon.peerId)
    const signal = AbortSignal.timeout(ASK_MS)
    const client = await ExchangeClient.open(this.node, type, NETWORK, { peerId, addresses: [] }, signal)
    try {
      return await client.ask(request)
    } finally {
      client.close()
    }
  }

  /** Its own addresses, signed, as a holder tells them. */
  async ownRecord(): Promise<Uint8Array> {
    return await sealAddresses(this.privateKey, this.node.getMultiaddrs(), BigInt(Date.now()))
  }

  async stop(): Promise<void> {
    await this.control.stop()
    await this.node.stop()
  }

  async #serve(isHub: boolean): Promise<void> {
    const { watched, heads, keys, sought, asked } = this.heard
    this.control.handle(watchHeads, ({ libraries }) => {
      for (const library of libraries) watched.add(hex(library))
      return { heads: [] }
    })
    this.control.handle(newHead, ({ head }) => {
      heads.add(hex(head))
      return {}
    })
    this.control.handle(listReleases, ({ name }) => {
      asked.add(name)
      return { records: [], statements: [] }
    })
    this.control.handle(getRecords, ({ ids }) => {
      for (const id of ids) asked.add(hex(id))
      return { records: [], statements: [] }
    })
    await this.control.start()
    const modules = { libp2p: this.node, clock: systemClock, log: silentLogger }
    const options = { networkId: NETWORK, rate: UNLIMITED, maxRequests: 1000, cost: () => 1 }
    await serveExchange(modules, PROVIDE, {
      ...options,
      answer: async ({ remotePeer }, request) => {
        const claimed = splitKeys(request.keys).map(hex)
        for (const key of claimed) {
          keys.add(key)
          this.#claimsOf(key).set(remotePeer.toString(), request.peerRecord.slice())
        }
        return isHub ? { verdicts: new Uint8Array(claimed.length) } : {}
      }
    })
    await serveExchange(modules, FIND, {
      ...options,
      answer: async (_asker, { key }) => {
        sought.push(hex(key))
        const claims = isHub ? [...this.#claimsOf(hex(key)).values()] : []
        return { providers: claims.map(peerRecord => ({ peerRecord, ageS: 0 })) }
      }
    })
  }

  /** Keys that a peer claims, in hex. */
  claimedBy(peerId: string): string[] {
    return [...this.#claims].flatMap(([key, claims]) => (claims.has(peerId) ? [key] : []))
  }

  #claimsOf(key: string): Map<string, Uint8Array> {
    const claims = this.#claims.get(key) ?? new Map<string, Uint8Array>()
    this.#claims.set(key, claims)
    return claims
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
