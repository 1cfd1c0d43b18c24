import type { CID } from 'multiformats/cid'
import type { ReleaseRecord } from '../records/types.ts'

export interface ListOptions {
  /** At most this many; the caller pages with `after`. */
  limit: number
  /** Opaque cursor from the page before. */
  after?: string
  signal?: AbortSignal
}

export interface ReleasePage {
  releases: ReleaseRecord[]
  /** Absent on the last page. */
  next?: string
}

export interface AddResult {
  /** False when the very same record was already there. */
  added: boolean
  record: ReleaseRecord
}

/** The records a node holds, found by id and by name. Reads on the main thread, writes in the worker. */
export interface Registry {
  get(id: CID): ReleaseRecord | undefined
  /** All known releases of a name, any owner, highest version first. */
  versions(name: string, signal?: AbortSignal): Promise<ReleaseRecord[]>
  list(options: ListOptions): Promise<ReleasePage>
  /** Number of releases in the home library. */
  count(): number
  /** Revision of the home library: grows with each change. */
  revision(): number

  /**
   * Verifies and stores a record of one's own in the home library, durably, with its announcement schedule.
   * RELEASE_EXISTS when (name, version, owner) has other content. The same content again returns the stored record.
   */
  publish(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>
  /** Verifies and stores a record that came from a peer (no membership in the home library). Durable. */
  add(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>

  /** Owner first installed under a name here. */
  ownerPin(name: string): Uint8Array | undefined
  pinOwner(name: string, owner: Uint8Array, signal?: AbortSignal): Promise<void>
}
