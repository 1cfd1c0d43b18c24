/**
 * The node's one LevelDB. The main thread reads it (snapshots, `getSync`); only the worker writes it. Keys are bytes
 * that begin with an ASCII family prefix; all families stand in library/database/keys.ts, nowhere else.
 */
export type WriteOperation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

export interface KeyRange {
  /** Keys that begin with these bytes. */
  prefix: Uint8Array
  /** Start strictly after this key (for paging). */
  after?: Uint8Array
  limit?: number
  reverse?: boolean
}

export interface DatabaseReader {
  get(key: Uint8Array): Uint8Array | undefined
  /** One read for many keys, in their order. */
  getMany(keys: Uint8Array[]): Promise<Array<Uint8Array | undefined>>
  /** Streams a range from a snapshot taken at the call. */
  iterate(range: KeyRange, signal?: AbortSignal): AsyncIterable<[Uint8Array, Uint8Array]>
}

/** The database as it was at one moment, whatever is written meanwhile; whoever took it closes it. */
export interface DatabaseSnapshot extends DatabaseReader {
  close(): Promise<void>
}

/** What the worker writes through. */
export interface DatabaseWriter extends DatabaseReader {
  /** One atomic batch; with `sync` it is on disk when this resolves. DISK_FULL, DISK_IO. */
  batch(operations: WriteOperation[], options: { sync: boolean }): Promise<void>
  /** Deletes all keys that begin with these bytes; not atomic. */
  clear(prefix: Uint8Array): Promise<void>
  snapshot(): DatabaseSnapshot
}

export interface Database extends DatabaseReader {
  /**
   * One atomic batch, made by the worker. `sync: true` returns only when it is on disk: for everything that is
   * acknowledged to a user or a peer.
   */
  write(operations: WriteOperation[], options: { sync: boolean; signal?: AbortSignal }): Promise<void>
}
