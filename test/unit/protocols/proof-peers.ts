import type { PeerId } from '@libp2p/interface'
import { type Clock, type ErrorCode, silentLogger, systemClock, toCatalogError } from '../../../base/index.ts'
import type { ContentStore, ReleaseRecord } from '../../../library/index.ts'
import {
  ByteMaps,
  ProofClient,
  ProofServer,
  type ProofServerModules,
  type ProofServerOptions,
  type ToldBytes
} from '../../../protocols/index.ts'
import { NETWORK, type Peer, type PeerOptions, startPeer, throttleWith } from '../fetch/peers.ts'
import { introduce } from './nodes.ts'

/** A peer that proves what it holds, and has others prove it. */
export interface ProofPeer extends Peer {
  readonly server: ProofServer
  readonly client: ProofClient
  readonly maps: ByteMaps
}

export interface ProofPeerOptions extends PeerOptions {
  readonly proof?: Partial<ProofServerOptions>
  readonly modules?: Partial<ProofServerModules>
  /** Of the client. */
  readonly clientClock?: Clock
}

export async function startProofPeer(options: ProofPeerOptions = {}): Promise<ProofPeer> {
  const peer = await startPeer({ servesNothing: true, ...options })
  const { libp2p, library } = peer
  const store: ContentStore = options.store?.(library.content) ?? library.content
  const maps = new ByteMaps({ store })
  const { upload } = throttleWith({ clock: systemClock })
  const { registry } = library
  const server = new ProofServer(
    { libp2p, store, registry, maps, upload, clock: systemClock, log: silentLogger, ...options.modules },
    { networkId: NETWORK, mayRead: () => true, ...options.proof }
  )
  await server.start()
  const client = new ProofClient(
    { libp2p, store, maps, clock: options.clientClock ?? systemClock },
    { networkId: NETWORK }
  )
  return {
    ...peer,
    server,
    client,
    maps,
    async close() {
      await server.stop()
      await peer.close()
    }
  }
}

/** What comes of a challenge: what was told, or the code of the error. */
export async function outcomeOf(
  from: ProofPeer,
  to: { libp2p: Peer['libp2p'] },
  { release }: Pick<ReleaseRecord, 'release'>,
  signal = AbortSignal.timeout(30_000)
): Promise<ToldBytes | ErrorCode> {
  const peerId: PeerId = await introduce(from.libp2p, to.libp2p)
  try {
    return await from.client.challenge(peerId, release, signal)
  } catch (thrown) {
    return toCatalogError(thrown).code
  }
}

/** Has a peer hold what another one published. */
export async function give(from: ProofPeer, to: ProofPeer, record: ReleaseRecord): Promise<void> {
  await from.library.content.copyTo(to.library.content, record.release.content)
  await to.library.registry.add(record.bytes)
}
