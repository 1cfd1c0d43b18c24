/**
 * A session that makes the copy of another node's library what a peer has of it. What the peer has and the copy lacks comes; what
 * the copy has and the peer lacks goes, where a session between equals would send it. Records are looked at by key and hash first
 * and by signature before they touch the tree, and nothing counts before the root is the one that the writer has signed.
 */
import { CatalogError } from '../../base/index.ts'
import {
  type DatabaseSnapshot,
  expectTimely,
  openMember,
  readableMember,
  readLibraryState,
  recordHash,
  type Slice,
  storedSizeBytes,
  trieKey
} from '../../library/index.ts'
import { decodeSyncFrame, type SyncFrame } from '../../protocols/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { decodeHead, type Head, type HeadVerdict, judgeHead, readHead } from '../heads/index.ts'
import {
  admitRecords,
  beginSession,
  receive,
  replySteps,
  type Session,
  type SessionStep,
  wayOf
} from '../reconcile/index.ts'
import type { SketchedRecord } from '../sketch/index.ts'
import {
  findRecord,
  type NodeCache,
  openTree,
  rootOf,
  type TreeChange,
  type TreeView
} from '../trie/index.ts'
import { type Copies, type CopyChange, type FollowedId, removedIn } from './copies.ts'
import { expectMeant } from './expect-head.ts'
import { expectNewerList } from './expect-list.ts'
import { expectWithin, type FollowLimits } from './limits.ts'
import { Overlay } from './overlay.ts'
import { readListTaken } from './remembered.ts'
import { copyName, type FollowedRow } from './rows.ts'
import { runSteps } from './run-steps.ts'
import type { SketchCache, SketchOf } from './sketches.ts'
import type { FollowOptions, FollowOutcome, Said, WorkerSession } from './types.ts'

export interface FollowerModules {
  copies: Copies
  sketches: SketchCache
  cache: NodeCache
  snapshot(): DatabaseSnapshot
  /** Takes a head that a peer has shown. */
  takeHead(head: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'>
  random(bytes: number): Uint8Array
  slice: Slice
  limits: FollowLimits
}

export class FollowerSession implements WorkerSession {
  readonly #modules: FollowerModules
  readonly #options: FollowOptions
  readonly #id: FollowedId
  /**
   * Those that views of this session read; a comparison looks at the set as it was when it began. While the first one is open LevelDB
   * keeps all that came after it anyhow, so closing those between would free nothing on the disk.
   */
  readonly #snapshots: DatabaseSnapshot[]
  #row: FollowedRow
  /** Number of the copy that is changed. */
  #copy: number
  #base: TreeView
  #overlay: Overlay
  #session: Session | undefined
  /** Of the copy as it was in the beginning; undefined as long as none was needed. */
  #sketch: SketchOf | undefined
  #head: Head | undefined
  /** That head is an earlier one than the last that is known of its writer, with a copy here or without. */
  #isBehind = false
  /** Since the last batch, by key, with the bytes of the record that is to stand there: a dry run keeps no more of it. */
  #changes = new Map<string, CopyChange & { sizeBytes: number }>()
  #changedBytes = 0
  /** Of all records of the copy, with those changes. */
  #sizeBytes: number
  /** Keys of the records that came since the last batch. */
  #arrived = new Set<string>()
  /** Of `#changes`, those that are not in the overlay yet. */
  #pending: TreeChange[] = []
  #received = 0
  /** The sets are equal: nothing is left but to accept that. */
  #isEqual = false
  #removed = 0
  #told: number | undefined

  /** CONTENT_CORRUPT, TREE_DAMAGED. */
  static async open(modules: FollowerModules, options: FollowOptions): Promise<FollowerSession> {
    const snapshot = modules.snapshot()
    try {
      return new FollowerSession(modules, options, snapshot)
    } catch (thrown) {
      await snapshot.close()
      throw thrown
    }
  }

  private constructor(modules: FollowerModules, options: FollowOptions, snapshot: DatabaseSnapshot) {
    this.#modules = modules
    this.#options = options
    const { library, writer, name } = options
    this.#id = { library, writer, name }
    this.#snapshots = [snapshot]
    this.#row = modules.copies.read(this.#id, snapshot)
    // Anew: as if nothing were here.
    this.#copy = this.#isAnew ? 0 : this.#row.staged || this.#row.copy
    this.#base = this.#treeOf(snapshot)
    this.#overlay = new Overlay(this.#base)
    this.#sizeBytes = readLibraryState(snapshot, this.#libraryId).sizeBytes ?? 0
  }

  async take(frame: SyncFrame, nowMs: number): Promise<boolean> {
    const message = decodeSyncFrame(frame)
    if (message.kind === 'head') {
      await this.#takeHead(message.body.head, nowMs)
      return this.#isBehind
    }
    if (message.kind !== 'abort' && this.#head === undefined)
      throw new CatalogError('PROTOCOL_VIOLATION', `${message.kind} before the head of the library`)
    const { session, hasTurn } = receive(this.#session!, message, frame.sizeBytes)
    this.#session = session
    if (message.kind === 'changes' && !bytesEqual(message.body.root, this.#head!.root))
      throw new CatalogError('SYNC_DIVERGED', 'the changes of the peer do not lead to what its head is of')
    if (message.kind === 'records') await this.#takeRecords(message.body.records, nowMs)
    if (message.kind === 'sketch' && hasTurn) await this.#prepareSketch()
    if (message.kind === 'descend' && this.#isToCount) this.#told ??= message.body.opening?.records
    return hasTurn || this.#told !== undefined
  }

  async say(nowMs: number): Promise<Said> {
    if (this.#session === undefined) return spoken(await this.#begin())
    if (this.#isEqual) return { ...spoken({ frames: [] }), ended: { outcome: await this.#accept(nowMs) } }
    if (this.#isBehind) return { ...spoken({ frames: [] }), ended: { outcome: this.#outcome('behind') } }
    if (this.#told !== undefined)
      return { ...spoken({ frames: [] }), ended: { outcome: this.#counted(this.#told) } }
    await this.#apply()
    let step = await this.#step()
    // What the peer lacks is no part of the library. A root that is said with it is that of the set without.
    if (this.#drop(step.records) > 0) {
      await this.#apply()
      step = await this.#step()
    }
    this.#expectWithinLimits()
    this.#session = step.session
    if (!step.isEqual) {
      await this.#spillIfFull(nowMs)
      return spoken(step)
    }
    // The last word first: what is left to be done here takes its time, and the peer need not wait for it.
    this.#isEqual = true
    return { ...spoken(step), more: true }
  }

  async close(): Promise<void> {
    await Promise.all(this.#snapshots.splice(0).map(snapshot => snapshot.close()))
  }

  get #root(): Uint8Array {
    return rootOf(this.#overlay.view.top)
  }

  /** Of a dry run to which nothing here is to be compared: everything would come, and of how many records that is, the peer has `#told`. */
  get #isToCount(): boolean {
    return this.#options.isDryRun && this.#base.top === undefined
  }

  get #isAnew(): boolean {
    return this.#options.strategy === 'full'
  }

  async #begin(): Promise<SessionStep> {
    const { random } = this.#modules
    const { library, local, remote, strategy } = this.#options
    const { head, staged } = this.#row
    // Changes since a head are of use to a set that is this head's.
    const isOfHead = head !== undefined && staged === 0
    const asked = strategy === 'incremental' && isOfHead ? { epoch: head.epoch } : undefined
    if (asked === undefined) await this.#prepareSketch()
    const options = { library, initiator: local, responder: remote, revision: head?.revision ?? 0, ...asked }
    const sketch: SketchOf = cells => this.#sketch!(cells)
    const step = beginSession(this.#overlay.view, { ...options, sketch, random })
    this.#session = step.session
    return step
  }

  /** Where changes are told, none is needed. Nothing has been staged yet when one is. */
  async #prepareSketch(): Promise<void> {
    const { sketches, cache, slice } = this.#modules
    const tree = openTree(this.#snapshots[0]!, this.#libraryId, cache)
    this.#sketch ??= await sketches.of(this.#libraryId, tree, slice)
  }

  async #takeHead(bytes: Uint8Array, nowMs: number): Promise<void> {
    if (this.#head !== undefined) throw new CatalogError('PROTOCOL_VIOLATION', 'a second head')
    const head = decodeHead(Uint8Array.from(bytes))
    expectMeant(head, this.#options, this.#row)
    expectTimely(head.time, nowMs)
    const verdict = await this.#judge(head, nowMs)
    if (verdict === 'contradiction')
      throw new CatalogError(
        'HEAD_CONTRADICTED',
        'the writer of this library has signed two heads for one revision'
      )
    this.#isBehind = verdict === 'older'
    this.#head = head
  }

  /** Of a dry run nothing is kept. */
  async #judge(head: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'> {
    const { library, writer, isDryRun } = this.#options
    if (!isDryRun) return await this.#modules.takeHead(head, nowMs)
    return judgeHead(readHead(this.#snapshots[0]!, library, writer), head, nowMs)
  }

  async #takeRecords(records: readonly Uint8Array[], nowMs: number): Promise<void> {
    const { slice } = this.#modules
    // A copy: the records are kept, the frame that they came in is not.
    const opened = records.map(bytes => openMember(Uint8Array.from(bytes)))
    const keyed = opened.map(({ record }) => ({
      trieKey: trieKey(record),
      recHash: recordHash(record.bytes)
    }))
    const { session, isNew } = admitRecords(this.#session!, this.#overlay.view, keyed)
    this.#session = session
    for (const [index, { record, verify }] of opened.entries()) {
      if (slice.due()) await slice.pause()
      if (!isNew[index]) continue
      verify()
      expectTimely(record.sequence, nowMs)
      this.#change(keyed[index]!, record.bytes)
      this.#arrived.add(textOf(keyed[index]!.trieKey))
      this.#received++
    }
    await this.#spillIfFull(nowMs)
  }

  #step(): Promise<SessionStep> {
    return runSteps(replySteps(this.#session!, this.#overlay.view), this.#modules.slice)
  }

  /**
   * Takes records out of the copy, unless others stand in their places by now, or came from the peer itself: it asks by key for what one of
   * its own replaces, too. How many.
   */
  #drop(records: Iterable<SketchedRecord>): number {
    const here = [...records].filter(({ trieKey, recHash }) => {
      if (this.#arrived.has(textOf(trieKey))) return false
      const found = findRecord(this.#overlay.view, trieKey)
      return found !== undefined && bytesEqual(found, recHash)
    })
    for (const { trieKey } of here) this.#change({ trieKey, recHash: undefined }, undefined)
    return here.length
  }

  #change({ trieKey, recHash }: TreeChange, record: Uint8Array | undefined): void {
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

  #storedBytes(recHash: Uint8Array | undefined): number {
    return recHash === undefined ? 0 : storedSizeBytes(this.#snapshots.at(-1)!, recHash)
  }

  async #apply(): Promise<void> {
    await runSteps(this.#overlay.apply(this.#pending.splice(0)), this.#modules.slice)
  }

  #expectWithinLimits(records = this.#overlay.view.top?.count ?? 0): void {
    expectWithin({ records, sizeBytes: this.#sizeBytes }, this.#options)
  }

  /** What is too much for one batch goes to a copy beside the one that counts. */
  async #spillIfFull(nowMs: number): Promise<void> {
    const { batchChanges, batchBytes, dryChanges } = this.#modules.limits
    if (this.#options.isDryRun) {
      if (this.#changes.size <= dryChanges) return
      throw new CatalogError('LIMIT_EXCEEDED', `a dry run counts ${dryChanges} changes at most`)
    }
    if (this.#changes.size <= batchChanges && this.#changedBytes <= batchBytes) return
    await this.#apply()
    this.#expectWithinLimits()
    await this.#spill(nowMs)
  }

  async #spill(nowMs: number): Promise<void> {
    const { copies, slice } = this.#modules
    const changes = [...this.#changes.values()]
    this.#removed += removedIn(changes)
    const { isClosed } = this.#head!
    this.#copy = await copies.stage(this.#id, { changes, isClosed, isAnew: this.#isAnew, nowMs }, slice)
    this.#changes = new Map()
    this.#changedBytes = 0
    this.#arrived = new Set()
    const root = this.#root
    this.#base = this.#treeOf(this.#snapshot())
    this.#overlay = new Overlay(this.#base)
    if (!bytesEqual(this.#root, root))
      throw new CatalogError('TREE_DAMAGED', 'the copy of a library is not what was written')
  }

  async #accept(nowMs: number): Promise<FollowOutcome> {
    const head = this.#head!
    if (!bytesEqual(head.root, this.#root))
      throw new CatalogError('SYNC_DIVERGED', 'the records of the peer are not those that its head is of')
    const isEqual = this.#changes.size === 0 && this.#copy === this.#row.copy
    const outcome = this.#outcome(isEqual ? 'equal' : 'updated')
    if (this.#options.isDryRun) return outcome
    const accepted = { head, nowMs, listTaken: head.isClosed ? this.#expectList() : undefined }
    const { copies, slice } = this.#modules
    const changes = [...this.#changes.values()]
    const { copy, staged } = copies.read(this.#id)
    if (staged === 0 && (copy === 0 || !this.#isAnew)) await copies.accept(this.#id, { changes, ...accepted })
    else {
      await this.#spill(nowMs)
      await copies.promote(this.#id, accepted, slice)
    }
    return outcome
  }

  /** Of a closed library, how new its access list is then. */
  #expectList(): number {
    const { copy } = this.#row
    const [first, last] = [this.#snapshots[0]!, this.#snapshots.at(-1)!]
    const before = copy === 0 ? undefined : openTree(first, copyName(this.#id.library, copy, this.#row))
    // What came in this session waits here, or has been staged.
    const read = (key: Uint8Array, recHash: Uint8Array): number | undefined => {
      const waiting = this.#changes.get(textOf(key))?.record
      if (waiting === undefined || !bytesEqual(recordHash(waiting), recHash))
        return readableMember(last, recHash)?.sequence
      return openMember(waiting).record.sequence
    }
    const taken = readListTaken(first, this.#id)
    return expectNewerList(this.#id, { taken, before, after: this.#overlay.view, read })
  }

  #outcome(state: FollowOutcome['state']): FollowOutcome {
    const { epoch, revision, expires, root: peerRoot } = this.#head!
    const { top } = this.#overlay.view
    return {
      state,
      received: this.#received,
      removed: this.#removed + removedIn([...this.#changes.values()]),
      records: top?.count ?? 0,
      root: this.#root,
      peerRoot,
      way: this.#session && wayOf(this.#session),
      head: { epoch, revision, expires }
    }
  }

  #counted(records: number): FollowOutcome {
    this.#expectWithinLimits(records)
    return { ...this.#outcome('updated'), received: records, records, root: this.#head!.root }
  }

  get #libraryId(): string {
    return copyName(this.#id.library, this.#copy, this.#head ?? this.#row)
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

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

const spoken = ({ frames }: { frames: readonly Uint8Array[] }): Said => ({
  frames: [...frames],
  more: false,
  records: 0,
  isFull: false
})
