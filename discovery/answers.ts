import type { Libp2p, PeerId } from '@libp2p/interface'
import { CatalogError, type Clock, type Logger, SECOND_MS } from '../base/index.ts'
import {
  type Asker,
  FIND,
  type FindRequest,
  type FindResponse,
  fittingCloser,
  MAX_CLOSER_PEERS,
  MAX_FOUND_BYTES,
  MAX_FOUND_PROVIDERS,
  type PeerRate,
  PeerRates,
  PROVIDE,
  type ProvideRequest,
  type ProvideResponse,
  serveExchange,
  splitKeys,
  Verdict
} from '../protocols/index.ts'
import type { NegativeCache } from './find/negative-cache.ts'
import { kademliaId } from './keys.ts'
import type { DiscoveryNetwork } from './network.ts'
import type { PeerBook } from './peers/book.ts'
import { networkPrefix } from './peers/network-prefix.ts'
import type { PeerRecordReader } from './peers/peer-record.ts'
import type { ProviderStore } from './providers/store.ts'

/** Keys one peer may announce here: all it may have at once, then as many again in 200 s. */
const PROVIDE_RATE: PeerRate = { perSecond: 500, burst: 100_000 }
/** Questions of one peer: a node that installs a large tree of dependencies asks a few hundred in a second. */
const FIND_RATE: PeerRate = { perSecond: 200, burst: 1000 }
/** Questions of all peers together: each costs a range read and a walk through the book, 0.2 ms of this thread at most. */
const FIND_TOTAL_RATE: PeerRate = { perSecond: 2000, burst: 4000 }
/** Requests in one stream: all keys of a provider in full requests, twice; a walk asks one question of each peer. */
const MAX_PROVIDE_REQUESTS = 200
const MAX_FIND_REQUESTS = 100
/** With fewer connected peers than this to name, peers met lately are named too. */
const FEW_PEERS = 8

export interface AnswersModules {
  readonly network: DiscoveryNetwork
  readonly store: ProviderStore
  readonly records: PeerRecordReader
  readonly book: PeerBook
  readonly negative: NegativeCache
  readonly clock: Clock
  readonly log: Logger
}

/** This node's side of `provide` and `find`: what it answers to others, whatever transport the question came over. */
export class Answers {
  readonly #modules: AnswersModules

  constructor(modules: AnswersModules) {
    this.#modules = modules
  }

  /** Keeps the claims of an authenticated peer. PROTOCOL_VIOLATION, SIGNATURE_INVALID, PEER_REFUSED (a record of another), BUSY. */
  async provide(asker: Asker, request: ProvideRequest): Promise<Partial<ProvideResponse>> {
    const { store, records, negative } = this.#modules
    const { peerId, sequence } = await records.open(request.peerRecord)
    const { remotePeer, remoteAddr } = asker
    if (!peerId.equals(remotePeer))
      throw new CatalogError('PEER_REFUSED', 'a peer may announce itself only, not another peer')
    const keys = splitKeys(request.keys)
    const network = networkPrefix(remoteAddr)
    const verdicts = await store.add({
      provider: remotePeer.toMultihash().bytes,
      ...(network === undefined ? {} : { network }),
      peerRecord: request.peerRecord,
      sequence,
      keys,
      lifetimeMs: request.lifetimeS * SECOND_MS
    })
    for (const key of keys) negative.delete(key)
    const allAccepted = verdicts.every(verdict => verdict === Verdict.Accepted)
    return allAccepted ? {} : { verdicts: Uint8Array.from(verdicts) }
  }

  /** Who claims the key here, and which peers are nearer to it. */
  async find(remote: PeerId, request: FindRequest, signal?: AbortSignal): Promise<Partial<FindResponse>> {
    const { store, network, clock } = this.#modules
    const bounds = {
      maxProviders: Math.min(request.maxProviders, MAX_FOUND_PROVIDERS),
      maxBytes: MAX_FOUND_BYTES
    }
    const self = network.self.toMultihash().bytes
    const found = await store.get(request.key, bounds, signal)
    const providers = found.map(async ({ provider, peerRecord, receivedAt }) => ({
      // This node's own addresses may have changed since it announced.
      peerRecord: Buffer.compare(provider, self) === 0 ? await network.ownRecord() : peerRecord,
      ageS: Math.max(0, Math.floor((clock.now() - receivedAt) / SECOND_MS))
    }))
    return { providers: await Promise.all(providers), closer: this.#closer(remote, request) }
  }

  #closer(remote: PeerId, request: FindRequest): FindResponse['closer'] {
    const { book } = this.#modules
    const count = Math.min(request.maxCloser, MAX_CLOSER_PEERS)
    if (count === 0) return []
    const target = kademliaId(request.key)
    const asker = remote.toString()
    const peers = book.closest(target, count + 1, book.connectedCount() >= FEW_PEERS)
    return fittingCloser(
      peers
        .filter(({ id, addresses }) => id !== asker && addresses.length > 0)
        .slice(0, count)
        .map(({ peerId, addresses }) => ({
          peerId: peerId.toMultihash().bytes,
          addresses: addresses.map(({ bytes }) => bytes)
        }))
    )
  }
}

/** Answers both protocols on libp2p; returns how to stop. */
export async function serveAnswers(
  modules: { libp2p: Libp2p; clock: Clock; log: Logger },
  answers: Answers,
  networkId: string
): Promise<() => Promise<void>> {
  const stopProvide = await serveExchange(modules, PROVIDE, {
    networkId,
    rate: PROVIDE_RATE,
    maxRequests: MAX_PROVIDE_REQUESTS,
    cost: request => splitKeys(request.keys).length,
    answer: (asker, request) => answers.provide(asker, request)
  })
  const all = new PeerRates(FIND_TOTAL_RATE, modules.clock)
  const stopFind = await serveExchange(modules, FIND, {
    networkId,
    rate: FIND_RATE,
    maxRequests: MAX_FIND_REQUESTS,
    cost: () => 1,
    async answer({ remotePeer }, request, signal) {
      all.take('everybody', 1)
      return await answers.find(remotePeer, request, signal)
    }
  })
  return async () => {
    await Promise.all([stopProvide(), stopFind()])
  }
}
