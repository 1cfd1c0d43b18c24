import type { ContentStore } from './content/content-store.ts'
import type { Database } from './database/types.ts'
import type { Registry } from './registry/types.ts'

/** What a node holds: built by `openLibrary(modules, options)`, closed by its owner after everything that uses it. */
export interface Library {
  readonly database: Database
  readonly content: ContentStore
  readonly registry: Registry
  /** True while the worker thread runs. */
  readonly workerRunning: boolean
  /** Flushes, closes the worker, then LevelDB. Idempotent. */
  close(): Promise<void>
}
