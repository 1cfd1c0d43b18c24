/**
 * What works in the worker beside the library: it is brought by whoever starts the worker, and the library knows of it only what
 * stands here. It keeps what follows from the sets of records that libraries are, such as their trees, in rows of its own, and
 * answers requests of its other half on the main thread.
 */
import type { Logger, Semaphore } from '../../base/index.ts'
import type { DatabaseWriter, WriteOperation } from '../database/types.ts'
import type { SetCommit } from '../registry/types.ts'
import type { Scheduler } from './scheduler.ts'

export interface CompanionModules {
  database: DatabaseWriter
  /** One change of rows at a time: whoever reads rows and then changes them holds it meanwhile. */
  writes: Semaphore
  scheduler: Scheduler
  log: Logger
}

export interface CompanionOptions {
  /** Absolute path of the home. */
  home: string
}

/** Rows that follow from a change. */
export interface FollowingRows {
  readonly operations: WriteOperation[]
  /** Called once they are committed, and only then. */
  committed(): void
}

export interface WorkerCompanion {
  /** Plans what must be committed in one batch with changes of sets. Throws, and then nothing of the change may be committed. */
  follow(sets: readonly SetCommit[], nowMs: number): Promise<FollowingRows>
  /** recHash of the record that a library has under a key. */
  find(libraryId: string, trieKey: Uint8Array): Uint8Array | undefined
  /** Answers a request of its other half; parameters and result are plain data. */
  handle(method: string, parameters: unknown, signal: AbortSignal): Promise<unknown>
}

/** Made when the worker opens the database. */
export type CompanionFactory = (
  modules: CompanionModules,
  options: CompanionOptions
) => Promise<WorkerCompanion>
