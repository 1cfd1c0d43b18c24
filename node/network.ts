/** The network as the services see it, put together from the host, discovery and the protocols. */
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { MIB, SECOND_MS, timeoutSignal, untilAborted } from '../base/index.ts'
import { type Discovery, nameKey, recordKey } from '../discovery/index.ts'
import { parseId } from '../library/index.ts'
import {
  type Fetcher,
  type FetchSource,
  MAX_RECORDS_PER_ANSWER,
  type PeerReleases,
  type RecordClient
} from '../protocols/index.ts'
import { type Host, reconnect } from './host/index.ts'
import { type OnOutcome, withOutcomes } from './services/fetch-outcomes.ts'
import type { Holder, Network, WantedReleases } from './services/network.ts'

export interface NetworkModules {
  host: Host
  discovery: Discovery
  records: RecordClient
  fetcher: Fetcher
  /** Told how each source of a transfer did. */
  onOutcome: OnOutcome
}

/** Pages of one name that one peer is asked for: 640 releases of ordinary size. */
const MAX_PAGES = 10
/** And their bytes: records of the largest size fill this with 64. */
const MAX_LISTED_BYTES = 2 * MIB
/** For peers that were lost: a question to the DHT and two or three addresses of 2 s each, before others are asked again. */
const RECONNECT_MS = 6 * SECOND_MS

export function createNetwork(modules: NetworkModules): Network {
  const { host, discovery, records, fetcher } = modules
  const listeners = new Set<(peerId: string) => void>()
  const tell = (peerId: string): void => {
    for (const listener of listeners) listener(peerId)
  }
  host.events.on('connected', ({ peerId }) => tell(peerId))
  host.events.on('replaced', tell)
  const network: Network = {
    connected: () => host.peers().map(peer => peer.peerId),
    onConnected(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async reconnect(peerIds, signal) {
      const ended = AbortSignal.any([signal, timeoutSignal(RECONNECT_MS)])
      await Promise.all(peerIds.map(id => reconnect(host.libp2p, peerIdFromString(id), ended)))
      signal.throwIfAborted()
    },
    async dial(target, signal) {
      const known = host.peers().find(peer => peer.peerId === target)
      if (known !== undefined) return target
      const address = target.startsWith('/') ? target : `/p2p/${target}`
      return (await host.connect(address, signal)).peerId
    },
    async announce({ names, ids, libraries = [] }, { wait, timeoutMs }, signal) {
      const keys = [...names.map(nameKey), ...ids.map(id => recordKey(id.bytes)), ...libraries]
      const timeout = timeoutSignal(timeoutMs)
      let holders = 0
      try {
        const result = await discovery.announce(keys, {
          wait,
          signal: AbortSignal.any([signal, timeout]),
          onProgress: progress => {
            holders = progress.holders
          }
        })
        return Math.min(...result.keys.map(key => key.holders.length))
      } catch (error) {
        if (timeout.aborted && !signal.aborted) return holders
        throw error
      }
    },
    holders: (name, signal) => holdersOf(modules, nameKey(name), signal),
    recordHolders: (id, signal) => holdersOf(modules, recordKey(id.bytes), signal),
    libraryHolders: (key, signal) => holdersOf(modules, key, signal),
    async releases({ name, ...filter }, peerId, signal) {
      const peer = peerIdFromString(peerId)
      // Who publishes the name, and what its newest versions are, matters also when one version is meant.
      const all = await pagesOf(records, peer, name, {}, signal)
      if (all.isComplete || (filter.version ?? filter.range) === undefined) return all
      const meant = await pagesOf(records, peer, name, filter, signal)
      const known = new Set(all.releases.map(({ id }) => id.toString()))
      return {
        releases: [...all.releases, ...meant.releases.filter(({ id }) => !known.has(id.toString()))],
        statements: [...all.statements, ...meant.statements]
      }
    },
    async record(id, peerId, signal) {
      const { releases, statements } = await records.get(peerIdFromString(peerId), [parseId(id)], signal)
      const [record] = releases
      return record === undefined ? undefined : { record, statements }
    },
    async fetchContent(record, peerIds, watch, signal) {
      const { priority, recordAt, onProgress, onSourceFailed, moreSources } = watch
      const { bytesFetched, bytesReused, sources } = await fetcher.fetch({
        record: record.id,
        peers: peerIds.map(id => peerIdFromString(id)),
        ...(priority && { trafficClass: priority }),
        ...(recordAt && { recordAt: peerId => recordAt(peerId.toString()) }),
        ...(moreSources && { morePeers: ended => peerIdsOf(moreSources(ended)) }),
        signal,
        onSourceFailed: (peerId, error) => onSourceFailed(peerId.toString(), error),
        onProgress: ({ phase, bytesDone, bytesTotal, bytesFetched, filesDone, filesTotal, sources }) =>
          onProgress({
            phase,
            bytesDone,
            bytesTotal,
            bytesFetched,
            itemsDone: filesDone,
            itemsTotal: filesTotal,
            sources: sources.map(textOf)
          })
      })
      return {
        bytesFetched,
        bytesReused,
        sources: sources.map(textOf)
      }
    }
  }
  return withOutcomes(network, modules.onOutcome)
}

const textOf = ({ peerId, bytes }: FetchSource): { peerId: string; bytes: number } => ({
  peerId: peerId.toString(),
  bytes
})

async function* peerIdsOf(peerIds: AsyncIterable<string>): AsyncGenerator<PeerId> {
  for await (const peerId of peerIds) yield peerIdFromString(peerId)
}

interface Pages extends PeerReleases {
  /** Whether the peer said that this is all. */
  isComplete: boolean
}

/** Pages of a name from one peer, within the budget of a look-up. */
async function pagesOf(
  records: RecordClient,
  peerId: PeerId,
  name: string,
  filter: Omit<WantedReleases, 'name'>,
  signal: AbortSignal
): Promise<Pages> {
  const { releases, statements }: PeerReleases = { releases: [], statements: [] }
  let sizeBytes = 0
  let after: Uint8Array | undefined
  for (let page = 0; page < MAX_PAGES && sizeBytes < MAX_LISTED_BYTES; page++) {
    const cursor = after === undefined ? {} : { after }
    const answer = await records.list(peerId, name, {
      ...filter,
      ...cursor,
      limit: MAX_RECORDS_PER_ANSWER,
      signal
    })
    releases.push(...answer.releases)
    statements.push(...answer.statements)
    for (const { bytes } of [...answer.releases, ...answer.statements]) sizeBytes += bytes.byteLength
    if (answer.next === undefined) return { releases, statements, isComplete: true }
    after = answer.next
  }
  return { releases, statements, isComplete: false }
}

/** Holders of a key but this node, ready to be dialled. */
async function* holdersOf(
  { host, discovery }: NetworkModules,
  key: Uint8Array,
  signal: AbortSignal
): AsyncGenerator<Holder> {
  // Asked right after the start, a node would say that it knows nobody while it is still dialling.
  await untilAborted(host.tried(), signal)
  for await (const { peerId, addresses, ageMs, source } of discovery.findHolders(key, { signal })) {
    const id = peerId.toString()
    if (id === host.peerId) continue
    // The holder signed these addresses; with them a request to it can dial it.
    if (addresses.length > 0) await host.libp2p.peerStore.merge(peerId, { multiaddrs: [...addresses] })
    yield { peerId: id, source: source === id ? 'peer' : 'dht', ageMs }
  }
}
