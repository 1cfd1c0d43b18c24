import type { SyncKind } from '../protocols/index.ts'
import type { MemberChange, NewLibrary, OwnLibrary } from './access/index.ts'
import type { BundleOpening, BundleOutcome, Said, SessionOpening } from './follow/types.ts'
import type { HeadVerdict } from './heads/index.ts'
import type { RebuiltTree, TreeReport } from './trie/index.ts'

/** What the main thread asks of sync in the worker: method -> [parameters, result]. */
export interface SyncMethods {
  checkTree: [{ libraryId: string }, TreeReport]
  /** Also signs a head when the root has become another. */
  rebuildTree: [{ libraryId: string; nowMs: number }, RebuiltTree]
  /** Signs the root again, for another week. */
  renewHead: [{ libraryId: string; nowMs: number }, undefined]
  /** See heads/head-store.ts. */
  takeHead: [{ head: Uint8Array; nowMs: number }, HeadVerdict | 'forgotten']
  /** Libraries of this node: see access/keeper.ts. */
  createLibrary: [{ library: NewLibrary; nowMs: number }, undefined]
  changeLibrary: [{ name: string; change: MemberChange; nowMs: number }, undefined]
  changeGroup: [{ name: string; change: MemberChange; nowMs: number }, undefined]
  /** See access/deletion.ts. */
  deleteLibrary: [{ name: string; nowMs: number }, undefined]
  renewAccess: [{ library: OwnLibrary; nowMs: number }, boolean]
  /** Sessions: see follow/types.ts. */
  sessionOpen: [{ opening: SessionOpening; nowMs: number }, undefined]
  sessionTake: [
    { session: number; kind: SyncKind; body: Uint8Array; sizeBytes: number; nowMs: number },
    boolean
  ]
  sessionSay: [{ session: number; nowMs: number }, Said]
  sessionClose: [{ session: number }, undefined]
  /** A session of its own that a bundle is taken in with: see follow/bundle-copy.ts. Closed as the others are. */
  bundleOpen: [{ opening: BundleOpening; nowMs: number }, undefined]
  bundleTake: [{ session: number; records: readonly Uint8Array[]; nowMs: number }, undefined]
  bundleEnd: [{ session: number; nowMs: number }, BundleOutcome]
  /** See follow/joins.ts. */
  joinRecords: [
    { library: Uint8Array; recHashes: readonly Uint8Array[]; isDryRun: boolean; nowMs: number },
    number
  ]
  /** False when it was not followed. */
  forgetLibrary: [{ library: Uint8Array; nowMs: number }, boolean]
  /** Sessions of a library wait for its copy. Also goes on with libraries of this node that are being deleted. */
  finishCopies: [{ nowMs: number }, undefined]
}

export type SyncMethod = keyof SyncMethods
