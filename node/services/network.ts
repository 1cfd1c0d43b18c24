/** What the services ask of the network; made from protocols/ and discovery/ by node/network.ts, from fakes in tests. */
import type { CID } from 'multiformats/cid'
import type { CatalogError } from '../../base/index.ts'
import type { ReleaseRecord, StatementRecord } from '../../library/index.ts'
import type { PeerReleases, Priority } from '../../protocols/index.ts'

export interface Holder {
  peerId: string
  /** Told by a connected peer itself, or by the DHT. */
  source: 'peer' | 'dht'
  /** How old the claim is. */
  ageMs: number
}

export interface ContentProgress {
  phase: string
  bytesDone: number
  bytesTotal: number
  itemsDone: number
  itemsTotal: number
  /** Of `bytesDone`, what came from peers since this call. */
  bytesFetched: number
  /** What each peer has sent so far, as on the wire. */
  sources?: Array<{ peerId: string; bytes: number }>
}

export interface ContentFetched {
  bytesFetched: number
  bytesReused: number
  sources: Array<{ peerId: string; bytes: number }>
}

/** Who hears of a transfer while it runs, and steers it. */
export interface ContentWatch {
  /** How urgent it is now; normal unless given. */
  priority?(): Priority
  onProgress(progress: ContentProgress): void
  /** A source failed; the others go on, or this one is tried again. */
  onSourceFailed(peerId: string, error: CatalogError): void
  /** Id of the record by which a peer knows the content, where that is another than the given one. */
  recordAt?(peerId: string): CID | undefined
  /** Peers found to have it while the transfer runs, until the signal ends: they join. */
  moreSources?(signal: AbortSignal): AsyncIterable<string>
}

export interface AnnounceOptions {
  /** Peers that must hold it; 0 = do not wait. */
  wait: number
  timeoutMs: number
}

/** What is announced. */
export interface Announced {
  names: readonly string[]
  /** Ids of records. */
  ids: readonly CID[]
  /** Keys of libraries. */
  libraries?: readonly Uint8Array[]
}

/** A release and what one peer says that is said of it: verified, and perhaps not the newest. */
export interface PeerRelease {
  record: ReleaseRecord
  statements: StatementRecord[]
}

/** The releases that a look-up is about. */
export interface WantedReleases {
  readonly name: string
  readonly version?: string
  readonly owner?: Uint8Array
  /** An npm range. */
  readonly range?: string
}

export interface Network {
  /**
   * Tells the network that this node holds releases of these names, these records and libraries. Resolves with the number of peers that
   * keep the claim of each; fewer than `wait` when the time is over, and then goes on in the background.
   */
  announce(what: Announced, options: AnnounceOptions, signal: AbortSignal): Promise<number>
  /** Peers that hold releases of `name`, as they are found. Ends when nobody is left to ask. */
  holders(name: string, signal: AbortSignal): AsyncIterable<Holder>
  /** Peers that hold a record, as the DHT finds them. */
  recordHolders(id: CID, signal: AbortSignal): AsyncIterable<Holder>
  /** Peers that have a whole copy of the library with a key, as the DHT finds them. */
  libraryHolders(key: Uint8Array, signal: AbortSignal): AsyncIterable<Holder>
  /**
   * The releases that a peer holds, with what is said of them: checked records, signatures included. All of the name up to a few hundred, and of those that
   * are wanted as many again where the name has more.
   */
  releases(wanted: WantedReleases, peerId: string, signal: AbortSignal): Promise<PeerReleases>
  /** One release by the id of its record; undefined when the peer does not have it. */
  record(id: string, peerId: string, signal: AbortSignal): Promise<PeerRelease | undefined>
  /** Peers connected now. */
  connected(): string[]
  /** Calls back with each peer that was not connected before, or whose connection was dead and is another one now; returns the way to stop that. */
  onConnected(listener: (peerId: string) => void): () => void
  /** Looks for peers that were lost, where they were and where others say that they are now. Takes seconds, and fails only by an abort. */
  reconnect(peerIds: readonly string[], signal: AbortSignal): Promise<void>
  /** Connects to a peer id or multiaddr and returns the peer id. */
  dial(target: string, signal: AbortSignal): Promise<string>
  /**
   * Brings the content of a release from these peers, several at once, until it is whole; every byte
   * verified. On disk and complete in the store when it resolves.
   */
  fetchContent(
    record: ReleaseRecord,
    peerIds: readonly string[],
    watch: ContentWatch,
    signal: AbortSignal
  ): Promise<ContentFetched>
}
