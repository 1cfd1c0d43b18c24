/**
 * Writes the mark that says that a content is complete. It may only stand there while nothing of the content has been given up:
 * so the check begins anew when a block was given up while it ran, and between its end and the commit of the mark none can be. What
 * is given up later finds the mark (damage.ts).
 *
 * Beside an older content that is complete only what is new has to be checked (content/update.ts). The older one's own mark is the
 * proof that everything of it is here, and counts as one only while no damage waits to be looked into.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, plural, toCatalogError } from '../../base/index.ts'
import { checkPresent, type Totals } from '../content/check.ts'
import { completeKey, decodeCompleteMark } from '../content/complete.ts'
import type { Pauses } from '../content/ingest.ts'
import type { BlockReader } from '../content/reader.ts'
import type { SegmentStore } from '../content/segments.ts'
import type { ContentSummary } from '../content/types.ts'
import { checkUpdate } from '../content/update.ts'
import type { LevelWriter } from '../database/level.ts'
import type { DamageCheck } from './damage.ts'
import type { Scheduler } from './scheduler.ts'

export interface CompletionModules {
  reader: BlockReader
  writer: LevelWriter
  segments: SegmentStore
  damage: DamageCheck
  scheduler: Scheduler
  /** Writes the mark. */
  commit(content: Uint8Array, summary: ContentSummary, nowMs: number): Promise<void>
}

/** CIDs as bytes. */
export interface CompletionRequest {
  content: Uint8Array
  summary: ContentSummary
  /** Most of the content is in this one too; need not be true. */
  older?: Uint8Array
  nowMs: number
}

export class Completion {
  readonly #modules: CompletionModules

  constructor(modules: CompletionModules) {
    this.#modules = modules
  }

  /** CONTENT_MISSING when a block is not here; CONTENT_INVALID when the content is not what `summary` says. */
  async mark({ content, summary, older, nowMs }: CompletionRequest, signal: AbortSignal): Promise<void> {
    const { commit, segments, scheduler } = this.#modules
    for (let isMarked = false; !isMarked; ) {
      const { losses } = segments
      const { totals, isCurrent } = await scheduler.run('sync', slice =>
        this.#check(content, older, slice, signal)
      )
      if (totals.sizeBytes !== summary.sizeBytes || totals.files !== summary.files)
        throw new CatalogError(
          'CONTENT_INVALID',
          `the content has ${plural(totals.files, 'file')} of ${plural(totals.sizeBytes, 'byte')}, where ${summary.files} of ${summary.sizeBytes} were stated`
        )
      await segments.withoutLosses(async () => {
        if (segments.losses !== losses || !isCurrent()) return
        await commit(content, summary, nowMs)
        isMarked = true
      })
    }
  }

  /**
   * For a content whose blocks were all put, or seen to be here, since the store had had so many losses: there is nothing to
   * look at again unless it has had more by now.
   */
  async markPut(request: CompletionRequest, losses: number, signal: AbortSignal): Promise<void> {
    const { commit, segments } = this.#modules
    let isMarked = false
    await segments.withoutLosses(async () => {
      if (segments.losses !== losses) return
      await commit(request.content, request.summary, request.nowMs)
      isMarked = true
    })
    if (!isMarked) await this.mark(request, signal)
  }

  /** `isCurrent` tells whether what the check relied on still holds. */
  async #check(
    content: Uint8Array,
    older: Uint8Array | undefined,
    slice: Pauses,
    signal: AbortSignal
  ): Promise<{ totals: Totals; isCurrent: () => boolean }> {
    const cid = CID.decode(content)
    if (older !== undefined && this.#isWhole(older)) {
      const totals = await this.#checkUpdate(cid, older, slice, signal)
      if (totals !== undefined) return { totals, isCurrent: () => this.#isWhole(older) }
    }
    return { totals: await checkPresent(this.#modules.reader, cid, slice, signal), isCurrent: () => true }
  }

  async #checkUpdate(
    content: CID,
    older: Uint8Array,
    slice: Pauses,
    signal: AbortSignal
  ): Promise<Totals | undefined> {
    const { reader, writer } = this.#modules
    const olderSummary = decodeCompleteMark(writer.get(completeKey(older)) ?? new Uint8Array())
    if (olderSummary === undefined) return undefined
    try {
      return await checkUpdate(reader, { content, older: CID.decode(older), olderSummary }, slice, signal)
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      // It may be a page of the older content that is bad, and not needed.
      if (code === 'CONTENT_CORRUPT' || code === 'CONTENT_MISSING') return undefined
      throw thrown
    }
  }

  #isWhole(content: Uint8Array): boolean {
    return !this.#modules.damage.isDue && this.#modules.writer.get(completeKey(content)) !== undefined
  }
}
