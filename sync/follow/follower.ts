/**
 * A session that makes the copy of another node's library what a peer has of it. What the peer has and the copy lacks comes; what
 * the copy has and the peer lacks goes, where a session between equals would send it. Records are looked at by key and hash first
 * and by signature before they touch the tree, and nothing counts before the root is the one that the writer has signed.
 */
import { CatalogError } from '../../base/index.ts'
import { expectTimely, openMember, recordHash, trieKey } from '../../library/index.ts'
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
import { findRecord } from '../trie/index.ts'
import { CopyDraft, type DraftModules, textOf } from './draft.ts'
import { expectMeant } from './expect-head.ts'
import { expectWithin, type FollowLimits } from './limits.ts'
import { runSteps } from './run-steps.ts'
import type { SketchCache, SketchOf } from './sketches.ts'
import type { FollowOptions, FollowOutcome, Said, WorkerSession } from './types.ts'

export interface FollowerModules extends DraftModules {
  sketches: SketchCache
  /** Takes a head that a peer has shown. */
  takeHead(head: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'>
  random(bytes: number): Uint8Array
  limits: FollowLimits
}

export class FollowerSession implements WorkerSession {
  readonly #modules: FollowerModules
  readonly #options: FollowOptions
  readonly #draft: CopyDraft
  #session: Session | undefined
  /** Of the copy as it was in the beginning; undefined as long as none was needed. */
  #sketch: SketchOf | undefined
  #head: Head | undefined
  /** That head is an earlier one than the last that is known of its writer, with a copy here or without. */
  #isBehind = false
  /** Keys of the records that came since the last batch. */
  #arrived = new Set<string>()
  #received = 0
  /** The sets are equal: nothing is left but to accept that. */
  #isEqual = false
  /** Of a dry run to which nothing here is to be compared: everything would come, and of how many records that is, the peer has `#told`. */
  readonly #isToCount: boolean
  #told: number | undefined

  /** CONTENT_CORRUPT, TREE_DAMAGED. */
  static async open(modules: FollowerModules, options: FollowOptions): Promise<FollowerSession> {
    const { library, writer, name, strategy, isDryRun } = options
    // Anew: as if nothing were here.
    const isAnew = strategy === 'full'
    const draft = await CopyDraft.open(modules, {
      id: { library, writer, name },
      isAnew,
      isOfBundle: false,
      isDryRun
    })
    return new FollowerSession(modules, options, draft)
  }

  private constructor(modules: FollowerModules, options: FollowOptions, draft: CopyDraft) {
    this.#modules = modules
    this.#options = options
    this.#draft = draft
    this.#isToCount = options.isDryRun && draft.view.top === undefined
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
    await this.#draft.apply()
    let step = await this.#step()
    // What the peer lacks is no part of the library. A root that is said with it is that of the set without.
    if (this.#drop(step.records) > 0) {
      await this.#draft.apply()
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
    await this.#draft.close()
  }

  async #begin(): Promise<SessionStep> {
    const { random } = this.#modules
    const { library, local, remote, strategy, traceparent = '' } = this.#options
    const { head, staged } = this.#draft.row
    // Changes since a head are of use to a set that is this head's.
    const isOfHead = head !== undefined && staged === 0
    const asked = strategy === 'incremental' && isOfHead ? { epoch: head.epoch } : undefined
    if (asked === undefined) await this.#prepareSketch()
    const own = { revision: head?.revision ?? 0, ...asked }
    const options = { library, initiator: local, responder: remote, traceparent, ...own }
    const sketch: SketchOf = cells => this.#sketch!(cells)
    const step = beginSession(this.#draft.view, { ...options, sketch, random })
    this.#session = step.session
    return step
  }

  /** Where changes are told, none is needed. Nothing has been staged yet when one is. */
  async #prepareSketch(): Promise<void> {
    const { sketches, slice } = this.#modules
    const { libraryId, tree } = this.#draft.stored()
    this.#sketch ??= await sketches.of(libraryId, tree, slice)
  }

  async #takeHead(bytes: Uint8Array, nowMs: number): Promise<void> {
    if (this.#head !== undefined) throw new CatalogError('PROTOCOL_VIOLATION', 'a second head')
    const head = decodeHead(Uint8Array.from(bytes))
    expectMeant(head, this.#options, this.#draft.row)
    expectTimely(head.time, nowMs)
    const verdict = await this.#judge(head, nowMs)
    if (verdict === 'contradiction')
      throw new CatalogError(
        'HEAD_CONTRADICTED',
        'the writer of this library has signed two heads for one revision'
      )
    this.#isBehind = verdict === 'older'
    this.#head = head
    this.#draft.meant(head)
  }

  /** Of a dry run nothing is kept. */
  async #judge(head: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'> {
    const { library, writer, isDryRun } = this.#options
    if (!isDryRun) return await this.#modules.takeHead(head, nowMs)
    return judgeHead(readHead(this.#draft.before, library, writer), head, nowMs)
  }

  async #takeRecords(records: readonly Uint8Array[], nowMs: number): Promise<void> {
    const { slice } = this.#modules
    // A copy: the records are kept, the frame that they came in is not.
    const opened = records.map(bytes => openMember(Uint8Array.from(bytes)))
    const keyed = opened.map(({ record }) => ({
      trieKey: trieKey(record),
      recHash: recordHash(record.bytes)
    }))
    const { session, isNew } = admitRecords(this.#session!, this.#draft.view, keyed)
    this.#session = session
    for (const [index, { record, verify }] of opened.entries()) {
      if (slice.due()) await slice.pause()
      if (!isNew[index]) continue
      verify()
      expectTimely(record.sequence, nowMs)
      this.#draft.change(keyed[index]!, record.bytes)
      this.#arrived.add(textOf(keyed[index]!.trieKey))
      this.#received++
    }
    await this.#spillIfFull(nowMs)
  }

  #step(): Promise<SessionStep> {
    return runSteps(replySteps(this.#session!, this.#draft.view), this.#modules.slice)
  }

  /**
   * Takes records out of the copy, unless others stand in their places by now, or came from the peer itself: it asks by key for what one of
   * its own replaces, too. How many.
   */
  #drop(records: Iterable<SketchedRecord>): number {
    const here = [...records].filter(({ trieKey, recHash }) => {
      if (this.#arrived.has(textOf(trieKey))) return false
      const found = findRecord(this.#draft.view, trieKey)
      return found !== undefined && bytesEqual(found, recHash)
    })
    for (const { trieKey } of here) this.#draft.change({ trieKey, recHash: undefined }, undefined)
    return here.length
  }

  #expectWithinLimits(records = this.#draft.records): void {
    expectWithin({ records, sizeBytes: this.#draft.sizeBytes }, this.#options)
  }

  /** What is too much for one batch goes to a copy beside the one that counts. */
  async #spillIfFull(nowMs: number): Promise<void> {
    const { dryChanges } = this.#modules.limits
    if (this.#options.isDryRun) {
      if (this.#draft.waiting <= dryChanges) return
      throw new CatalogError('LIMIT_EXCEEDED', `a dry run counts ${dryChanges} changes at most`)
    }
    if (!this.#draft.isFull) return
    await this.#draft.apply()
    this.#expectWithinLimits()
    await this.#draft.spill(nowMs)
    this.#arrived = new Set()
  }

  async #accept(nowMs: number): Promise<FollowOutcome> {
    if (!bytesEqual(this.#head!.root, this.#draft.root))
      throw new CatalogError('SYNC_DIVERGED', 'the records of the peer are not those that its head is of')
    const outcome = this.#outcome(this.#draft.isSame ? 'equal' : 'updated')
    if (!this.#options.isDryRun) await this.#draft.accept(nowMs)
    return outcome
  }

  #outcome(state: FollowOutcome['state']): FollowOutcome {
    const { epoch, revision, expires, root: peerRoot } = this.#head!
    const { removed, records, root } = this.#draft
    return {
      state,
      received: this.#received,
      removed,
      records,
      root,
      peerRoot,
      way: this.#session && wayOf(this.#session),
      head: { epoch, revision, expires }
    }
  }

  #counted(records: number): FollowOutcome {
    this.#expectWithinLimits(records)
    return { ...this.#outcome('updated'), received: records, records, root: this.#head!.root }
  }
}

const spoken = ({ frames }: { frames: readonly Uint8Array[] }): Said => ({
  frames: [...frames],
  more: false,
  records: 0,
  isFull: false
})
