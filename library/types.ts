import type { ContentStore } from './content/content-store.ts'
import type { Remembered } from './database/remembered.ts'
import type { Database, DatabaseSnapshot } from './database/types.ts'
import type { HeldState } from './held-state.ts'
import type { Registry } from './registry/types.ts'

/** What a node holds: built by `openLibrary(modules, options)`, closed by its owner after everything that uses it. */
export interface Library {
  readonly database: Database
  readonly content: ContentStore
  readonly registry: Registry
  /** Keeps what is read of it, until that changes. */
  readonly remembered: Pick<Remembered, 'of' | 'counts'>
  /** What the database has now, to be read for a while. */
  snapshot(): DatabaseSnapshot
  /** Database and segments as they are now, for a backup; whoever took it closes it before the library is closed. */
  holdState(): Promise<HeldState>
  /** Asks what works in the worker beside the library; who started the worker knows what it answers. */
  companion(method: string, parameters: unknown, signal?: AbortSignal): Promise<unknown>
  /** Keeps the worker from ending while nothing is asked of it, until the returned function is called. */
  holdWorker(): () => void
  /** True while the worker thread runs. */
  readonly workerRunning: boolean
  /** Flushes, closes the worker, then LevelDB. Idempotent. */
  close(): Promise<void>
}
