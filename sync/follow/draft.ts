/**
 * What a copy is to become, before it is that. Changes wait in memory and become part of the copy in one batch, with the head; what is too
 * much for that is made in a second copy beside the one that counts, batch after batch. The tree over all of it is known at any time, so the
 * root can be compared with the one that the writer has signed before anything counts.
 */
import { CatalogError } from '../../base/index.ts'
import {
  type DatabaseSnapshot,
  openMember,
  readableMember,
  readLibraryState,
  recordHash,
  type Slice,
  storedSizeBytes
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Head } from '../heads/index.ts'
import {
  findRecord,
  type NodeCache,
  openTree,
  rootOf,
  type TreeChange,
  type TreeView
} from '../trie/index.ts'
import { type Copies, type CopyChange, type FollowedId, removedIn } from './copies.ts'
import { expectNewerList } from './expect-list.ts'
import type { FollowLimits } from './limits.ts'
import { Overlay } from './overlay.ts'
import { readListTaken } from './remembered.ts'
import { copyName, type FollowedRow } from './rows.ts'
import { runSteps } from './run-steps.ts'

export interface DraftModules {
  copies: Copies
  cache: NodeCache
  snapshot(): DatabaseSnapshot
  slice: Slice
  limits: Pick<FollowLimits, 'batchChanges' | 'batchBytes'>
}

export interface DraftOptions {
  readonly id: FollowedId
  /** It begins with nothing, whatever is here. */
  readonly isAnew: boolean
  /** It comes from a bundle, not from a peer. */
  readonly isOfBundle: boolean
  /** Nothing of it will be written: records are counted, and not kept. */
  readonly isDryRun: boolean
}

export class CopyDraft {
  readonly #modules: DraftModules
  readonly #options: DraftOptions
  /**
   * Those that views of this draft read; a comparison looks at the set as it was when it began. While the first one is open LevelDB
   * keeps all that came after it anyhow, so closing those between would free nothing on the disk.
   */
  readonly #snapshots: DatabaseSnapshot[]
  /** What was known of the library in the beginning. */
  readonly row: FollowedRow
  /** Number of the copy that is changed. */
  #copy: number
  #base: TreeView
  #overlay: Overlay
  #head: Head | undefined
  /** Since the last batch, by key, with the bytes of the record that is to stand there: a dry run keeps no more of it. */
  #changes = new Map<string, CopyChange & { sizeBytes: number }>()
  #changedBytes = 0
  /** Of all records of the copy, with those changes. */
  #sizeBytes: number
  /** Of `#changes`, those that are not in the overlay yet. */
  #pending: TreeChange[] = []
  #removed = 0

  /** CONTENT_CORRUPT, TREE_DAMAGED. */
  static async open(modules: DraftModules, options: DraftOptions): Promise<CopyDraft> {
    const snapshot = modules.snapshot()
    try {
      return new CopyDraft(modules, options, snapshot)
    } catch (thrown) {
      await snapshot.close()
      throw thrown
    }
  }

  private constructor(modules: DraftModules, options: DraftOptions, snapshot: DatabaseSnapshot) {
    this.#modules = modules
    this.#options = options
    this.#snapshots = [snapshot]
    this.row = modules.copies.read(options.id, snapshot)
    this.#copy = options.isAnew ? 0 : this.row.staged || this.row.copy
    this.#base = this.#treeOf(snapshot)
    this.#overlay = new Overlay(this.#base)
    this.#sizeBytes = readLibraryState(snapshot, this.#libraryId).sizeBytes ?? 0
  }

  /** The database as it was in the beginning. */
  get before(): DatabaseSnapshot {
    return this.#snapshots[0]!
  }

  /** The tree with all changes that were applied. */
  get view(): TreeView {
    return this.#overlay.view
  }

  get root(): Uint8Array {
    return rootOf(this.view.top)
  }

  get records(): number {
    return this.view.top?.count ?? 0
  }

  /** Of the records, those included that were not applied yet. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Changes since the last batch. */
  get waiting(): number {
    return this.#changes.size
  }

  /** Records that have gone or will, replaced ones included. */
  get removed(): number {
    return this.#removed + removedIn([...this.#changes.values()])
  }

  /** Whether nothing differs from the copy that counts. */
  get isSame(): boolean {
    return this.#changes.size === 0 && this.#copy === this.row.copy
  }

  get isFull(): boolean {
    const { batchChanges, batchBytes } = this.#modules.limits
    return this.#changes.size > batchChanges || this.#changedBytes > batchBytes
  }

  /** The name here of the copy that is changed, and its tree as it was in the beginning, to go through all of it. */
  stored(): { libraryId: string; tree: ReturnType<typeof openTree> } {
    const libraryId = this.#libraryId
    return { libraryId, tree: openTree(this.before, libraryId, this.#modules.cache) }
  }

  /** It is to be equal to this head. */
  meant(head: Head): void {
    this.#head = head
  }

  /** Puts a record, verified, under its key, or nothing; part of the view once it is applied. */
  change({ trieKey, recHash }: TreeChange, record: Uint8Array | undefined): void {
    const key = textOf(trieKey)
    const known = this.#changes.get(key)
    const before = known === undefined ? findRecord(this.#base, trieKey) : known.before
    const copy = Uint8Array.from(trieKey)
    const sizeBytes = record?.byteLength ?? 0
    this.#changedBytes += sizeBytes - (known?.sizeBytes ?? 0)
    this.#sizeBytes += sizeBytes - (known?.sizeBytes ?? this.#storedBytes(before))
    const kept = this.#options.isDryRun ? undefined : record
    this.#changes.set(key, { trieKey: copy, before, record: kept, sizeBytes })
    this.#pending.push({ trieKey: copy, recHash })
  }

  async apply(): Promise<void> {
    await runSteps(this.#overlay.apply(this.#pending.splice(0)), this.#modules.slice)
  }

  /** Makes what has changed in the second copy. */
  async spill(nowMs: number): Promise<void> {
    await this.apply()
    const { copies, slice } = this.#modules
    const { id, isAnew, isOfBundle } = this.#options
    const changes = [...this.#changes.values()]
    this.#removed += removedIn(changes)
    const { isClosed } = this.#head!
    this.#copy = await copies.stage(id, { changes, isClosed, isAnew, isOfBundle, nowMs }, slice)
    this.#changes = new Map()
    this.#changedBytes = 0
    const root = this.root
    this.#base = this.#treeOf(this.#snapshot())
    this.#overlay = new Overlay(this.#base)
    if (!bytesEqual(this.root, root))
      throw new CatalogError('TREE_DAMAGED', 'the copy of a library is not what was written')
  }

  /** It counts from now on, as equal to the head that was meant. Of a closed library NOT_PERMITTED where its access list would become an earlier one. */
  async accept(nowMs: number): Promise<void> {
    const head = this.#head!
    const { copies, slice } = this.#modules
    const { id, isAnew } = this.#options
    const accepted = { head, nowMs, listTaken: head.isClosed ? this.#expectList() : undefined }
    const { copy, staged } = copies.read(id)
    if (staged === 0 && (copy === 0 || !isAnew))
      return await copies.accept(id, { changes: [...this.#changes.values()], ...accepted })
    await this.spill(nowMs)
    await copies.promote(id, accepted, slice)
  }

  /** Of a closed library, how new its access list is then. */
  #expectList(): number {
    const { id } = this.#options
    const { copy } = this.row
    const last = this.#snapshots.at(-1)!
    const before = copy === 0 ? undefined : openTree(this.before, copyName(id.library, copy, this.row))
    // What came waits here, or has been staged.
    const read = (key: Uint8Array, recHash: Uint8Array): number | undefined => {
      const waiting = this.#changes.get(textOf(key))?.record
      if (waiting === undefined || !bytesEqual(recordHash(waiting), recHash))
        return readableMember(last, recHash)?.sequence
      return openMember(waiting).record.sequence
    }
    const taken = readListTaken(this.before, id)
    return expectNewerList(id, { taken, before, after: this.view, read })
  }

  async close(): Promise<void> {
    await Promise.all(this.#snapshots.splice(0).map(snapshot => snapshot.close()))
  }

  #storedBytes(recHash: Uint8Array | undefined): number {
    return recHash === undefined ? 0 : storedSizeBytes(this.#snapshots.at(-1)!, recHash)
  }

  get #libraryId(): string {
    return copyName(this.#options.id.library, this.#copy, this.#head ?? this.row)
  }

  #snapshot(): DatabaseSnapshot {
    const snapshot = this.#modules.snapshot()
    this.#snapshots.push(snapshot)
    return snapshot
  }

  #treeOf(snapshot: DatabaseSnapshot): TreeView {
    return openTree(snapshot, this.#libraryId, this.#modules.cache)
  }
}

export const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
