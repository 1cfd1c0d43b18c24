import type { HeadVerdict } from './heads/index.ts'
import type { RebuiltTree, TreeReport } from './trie/index.ts'

/** What the main thread asks of sync in the worker: method -> [parameters, result]. */
export interface SyncMethods {
  checkTree: [{ libraryId: string }, TreeReport]
  /** Also signs a head when the root has become another. */
  rebuildTree: [{ libraryId: string; nowMs: number }, RebuiltTree]
  /** Signs the root again, for another week. */
  renewHead: [{ libraryId: string; nowMs: number }, undefined]
  newEpoch: [{ libraryId: string; nowMs: number }, undefined]
  /** See heads/head-store.ts. */
  takeHead: [{ head: Uint8Array; nowMs: number }, HeadVerdict | 'forgotten']
}

export type SyncMethod = keyof SyncMethods
