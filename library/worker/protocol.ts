/**
 * What the main thread and the worker say to each other. A request names a method of `WorkerMethods`; its
 * parameters and result are plain data that structured clone can carry (CIDs go as bytes). Large byte arrays
 * are transferred, not copied.
 */
import type { ErrorJson } from '../../base/index.ts'
import type { BlockBatch } from '../content/block-batch.ts'
import type { BucketStoreSettings } from '../content/bucket-segments.ts'
import type { Compression } from '../content/compression.ts'
import type { BucketStep, CollectReport, KeptBytes, PlannedContent, VerifyReport } from '../content/types.ts'
import type { WriteOperation } from '../database/types.ts'
import type { AddedAll, RegistryAddAll, RegistryWrite } from '../registry/types.ts'
import type { CompletionRequest } from './completion.ts'
import type { ScrubRequest, ScrubStep } from './scrub.ts'

/** Result of an ingest with the CID as bytes. */
export interface IngestOutcome {
  content: Uint8Array
  sizeBytes: number
  files: number
  newBytes: number
}

/** A release as a pin names it. */
export interface ReleaseKey {
  name: string
  version: string
  owner: Uint8Array
}

export interface CollectPlanRequest {
  nowMs: number
  /** Bytes of content that should go, beside what has no name; 0 = none. */
  evictBytes: number
}

export interface CollectPlan extends KeptBytes {
  contents: PlannedContent[]
}

/** Method -> [parameters, result]. */
export interface WorkerMethods {
  /** Opens store and database; answered when recovery is over. */
  open: [undefined, undefined]
  /** Commits everything and closes; the worker ends after the answer. */
  close: [undefined, undefined]
  databaseWrite: [{ operations: WriteOperation[]; sync: boolean }, undefined]
  /** Verifies a record, and stores it by the registry's plan. Answers what the registry's plan says. */
  registryWrite: [RegistryWrite, { added: boolean; stored: Uint8Array }]
  /** The same for records from elsewhere, all in one batch: up to the first that fails, and of what it does. */
  registryAddAll: [RegistryAddAll, AddedAll]
  /** The number is the caller's, and never used again. */
  ingestOpen: [{ ingest: number }, undefined]
  /** Answered when these bytes have been taken in, in order. */
  ingestWrite: [{ ingest: number; bytes: Uint8Array }, undefined]
  ingestFinish: [{ ingest: number; nowMs: number }, IngestOutcome]
  ingestAbort: [{ ingest: number }, undefined]
  /** A receive begins with its first blocks; see receives.ts. */
  blocksWrite: [{ receive: number; batch: BlockBatch }, undefined]
  blocksFlush: [{ receive: number }, undefined]
  blocksEnd: [{ receive: number }, undefined]
  /** Takes a block out of the index if its bytes at this place are indeed wrong; true when they are right. */
  blockForget: [{ id: Uint8Array; segment: number; offsetBytes: number }, boolean]
  /** Flushes the receive first. */
  markComplete: [{ receive: number; request: CompletionRequest }, undefined]
  verify: [{ content: Uint8Array }, VerifyReport]
  /** See keeping.ts. */
  contentPin: [{ content: Uint8Array; release: ReleaseKey; nowMs: number }, undefined]
  contentUnpin: [{ content: Uint8Array; release: ReleaseKey }, undefined]
  contentsUsed: [Array<{ content: Uint8Array; usedMs: number }>, undefined]
  collectPlan: [CollectPlanRequest, CollectPlan]
  contentsLetGo: [
    { contents: Array<{ content: Uint8Array; usedMs: number }>; isAsked: boolean },
    Uint8Array[]
  ]
  /** `without`: contents to be taken as let go of already, for a dry run. */
  collect: [{ leases: Uint8Array[]; without: Uint8Array[]; dryRun: boolean }, CollectReport]
  scrub: [ScrubRequest, ScrubStep]
  /** See content/bucket-segments.ts. */
  bucketStep: [undefined, BucketStep]
  registryRemove: [{ recHash: Uint8Array; nowMs: number }, undefined]
  /** For what works in the worker beside the library (companion.ts); both sides of it agree on what is said. */
  companion: [{ method: string; parameters: unknown }, unknown]
}

export type WorkerMethod = keyof WorkerMethods
export type ParametersOf<M extends WorkerMethod> = WorkerMethods[M][0]
export type ResultOf<M extends WorkerMethod> = WorkerMethods[M][1]

/** Main thread to worker. */
export type ToWorker =
  | { kind: 'request'; id: number; method: WorkerMethod; parameters: unknown }
  /** The caller no longer waits for this request. */
  | { kind: 'cancel'; id: number }

/** Worker to main thread. */
export type FromWorker =
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'error'; id: number; error: ErrorJson }
  /** Blocks have been committed: they can be read. */
  | { kind: 'committed' }
  | { kind: 'log'; level: 'error' | 'warn' | 'info' | 'debug'; fields: object; message: string }

/** What the worker is started with. */
export interface WorkerSettings {
  /** Absolute path of the home. */
  home: string
  databaseFolder: string
  segmentsFolder: string
  /** Bytes of all segments at most; 0 = no limit. */
  quotaBytes: number
  compression: Compression
  /** Where sealed segments go; without it they stay in the folder. */
  bucket?: BucketStoreSettings | undefined
  /** Memory of the marks by which the main thread sees what is written (database/change-marks.ts). */
  changeMarks?: SharedArrayBuffer
}
