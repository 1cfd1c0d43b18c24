/**
 * What is kept and what goes: completes, pins and lets go of contents, plans a collection and runs it. In the worker,
 * because each of these looks at rows and then changes them, with no other write between the two.
 *
 * A collection has three steps, and the main thread between them, which alone knows what is being read: `plan`
 * says which contents could go, `letGo` drops the rows of those that nobody reads, `collect` frees what no row protects.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, HOUR_MS, type Logger, type Semaphore } from '../../base/index.ts'
import { Collection, type CollectOptions } from '../content/collect.ts'
import { completeKey, completeMark, decodeCompleteMark } from '../content/complete.ts'
import { decodeHeld, encodeHeld, heldKey, pinKey, pinPrefix } from '../content/held.ts'
import { LiveSet } from '../content/live-set.ts'
import type { BlockReader } from '../content/reader.ts'
import type { SegmentBackend } from '../content/segment-backend.ts'
import type { SegmentStore } from '../content/segments.ts'
import {
  type CollectReport,
  type ContentSummary,
  MAX_COLLECTED,
  type PlannedContent
} from '../content/types.ts'
import { KeyFamily, makeKey, mirrorCopyKey, parseNameIndexKey } from '../database/keys.ts'
import type { LevelWriter } from '../database/level.ts'
import type { WriteOperation } from '../database/types.ts'
import { ownLibrariesOf } from '../registry/membership.ts'
import { entriesNaming } from '../registry/naming.ts'
import { planRemove } from '../registry/plan-remove.ts'
import type { Commits } from './commits.ts'
import type { CollectPlan, CollectPlanRequest, ReleaseKey } from './protocol.ts'
import type { Scheduler } from './scheduler.ts'

/** A content that no release names stays so long: its publisher has stored it and is about to sign. */
const UNNAMED_MS = HOUR_MS
const DIGEST_BYTES = 32

export interface KeepingModules {
  writer: LevelWriter
  segments: SegmentStore
  reader: BlockReader
  backend: SegmentBackend
  scheduler: Scheduler
  /** One change of rows at a time. */
  writes: Semaphore
  commits: Commits
  log: Logger
}

interface Kept {
  content: Uint8Array
  usedMs: number
}

export class Keeping {
  readonly #modules: KeepingModules
  #collection: Collection | undefined

  constructor(modules: KeepingModules) {
    this.#modules = modules
  }

  /** Commits that a content is whole and kept. A collection that runs does not know it: it is told in the same turn. */
  async mark(content: Uint8Array, summary: ContentSummary, nowMs: number): Promise<void> {
    const { writer, writes } = this.#modules
    const put = [
      { type: 'put', key: completeKey(content), value: completeMark(summary) },
      { type: 'put', key: heldKey(content), value: encodeHeld(nowMs) }
    ] as const
    await writes.run(() => writer.batch([...put], { sync: true }))
    this.#collection?.rooted(CID.decode(content))
  }

  /** Pins a release whose content is whole here. The row that keeps the content is written with the pin. */
  async pin(content: Uint8Array, release: ReleaseKey, nowMs: number): Promise<void> {
    const { writer, writes } = this.#modules
    await writes.run(async () => {
      if (writer.get(completeKey(content)) === undefined)
        throw new CatalogError('CONTENT_MISSING', `${release.name}@${release.version} is not whole here`, {
          hint: 'run `catalog fetch` for it, then pin it'
        })
      const put = [
        { type: 'put', key: pinKey(content, release), value: new Uint8Array() },
        { type: 'put', key: heldKey(content), value: encodeHeld(nowMs) }
      ] as const
      await writer.batch([...put], { sync: true })
    })
  }

  async unpin(content: Uint8Array, release: ReleaseKey): Promise<void> {
    const { writer, writes } = this.#modules
    await writes.run(() => writer.batch([{ type: 'del', key: pinKey(content, release) }], { sync: true }))
  }

  /** Takes a release out of the registry. Its content is kept on only where another release names it. */
  async remove(recHash: Uint8Array, nowMs: number): Promise<void> {
    const { writer, commits } = this.#modules
    await commits.run(async () => {
      const plan = await planRemove(writer, recHash)
      const { operations, content, release } = plan
      if (writer.get(pinKey(content.bytes, release)) !== undefined)
        throw new CatalogError('RELEASE_PINNED', `${release.name}@${release.version} is pinned`)
      // Never used: the next collection lets go of it unless it has another name.
      if (writer.get(heldKey(content.bytes)) !== undefined)
        operations.push({ type: 'put', key: heldKey(content.bytes), value: encodeHeld(0) })
      return plan
    }, nowMs)
  }

  /** Notes when contents were last read; those that were let go of stay so. */
  async used(uses: ReadonlyArray<{ content: Uint8Array; usedMs: number }>): Promise<void> {
    const { writer, writes } = this.#modules
    await writes.run(async () => {
      const operations = uses.flatMap(({ content, usedMs }): WriteOperation[] => {
        const key = heldKey(content)
        const row = writer.get(key)
        return row === undefined || decodeHeld(row) === 0 || decodeHeld(row) >= usedMs
          ? []
          : [{ type: 'put', key, value: encodeHeld(usedMs) }]
      })
      if (operations.length > 0) await writer.batch(operations, { sync: false })
    })
  }

  /**
   * Which contents could be let go of: those without a name, and, to free `evictBytes`, those longest unused that are neither
   * pinned, nor kept for others, nor published here.
   */
  async plan(request: CollectPlanRequest, signal: AbortSignal): Promise<CollectPlan> {
    return await this.#modules.scheduler.run('gc', async slice => {
      const pause = async (): Promise<void> => {
        signal.throwIfAborted()
        if (slice.due()) await slice.pause()
      }
      const { candidates, ...plan } = await this.#sort(request, pause)
      const planned = plan.contents
      let freed = planned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      for (const kept of oldest(candidates)) {
        if (freed >= request.evictBytes || planned.length >= MAX_COLLECTED) break
        const victim = this.#planned(kept, 'unused')
        planned.push(victim)
        freed += victim.sizeBytes
      }
      await this.#nameAll(planned, pause)
      return plan
    })
  }

  /** Tells what has no name and goes, what stays, and what may go when room is needed. */
  async #sort(
    { nowMs, evictBytes }: CollectPlanRequest,
    pause: () => Promise<void>
  ): Promise<CollectPlan & { candidates: Kept[] }> {
    const pinned = await this.#pinned(pause)
    const { named, own } = await this.#named(pause)
    const contents: PlannedContent[] = []
    let candidates: Kept[] = []
    const totals = { pinnedBytes: 0, ownBytes: 0 }
    for await (const kept of this.#kept()) {
      const digest = digestOf(kept.content)
      const isUnnamed = !named.has(digest)
      if (pinned.has(digest)) totals.pinnedBytes += this.#sizeOf(kept.content)
      else if (own.has(digest)) totals.ownBytes += this.#sizeOf(kept.content)
      else if (!isUnnamed && evictBytes > 0) candidates.push(kept)
      else if (isUnnamed && kept.usedMs + UNNAMED_MS < nowMs && contents.length < MAX_COLLECTED)
        contents.push(this.#planned(kept, 'unnamed'))
      if (candidates.length > 2 * MAX_COLLECTED) candidates = oldest(candidates)
      await pause()
    }
    return { contents, candidates, ...totals }
  }

  /**
   * Drops the rows of contents; one that was pinned or stored anew since it was planned stays, and, unless `isAsked`, one that is kept for
   * others. Returns those that went.
   */
  async letGo(contents: readonly Kept[], isAsked: boolean): Promise<Uint8Array[]> {
    const { writer, writes } = this.#modules
    return await writes.run(async () => {
      const gone: Uint8Array[] = []
      for (const { content, usedMs } of contents) {
        const row = writer.get(heldKey(content))
        const isKept = !isAsked && writer.get(mirrorCopyKey(content)) !== undefined
        let stays = isKept || (row !== undefined && decodeHeld(row) !== usedMs)
        for await (const _ of writer.iterate({ prefix: pinPrefix(content), limit: 1 })) stays = true
        if (!stays) gone.push(content)
      }
      const operations = gone.flatMap((content): WriteOperation[] => [
        { type: 'del', key: completeKey(content) },
        { type: 'del', key: heldKey(content) },
        ...(isAsked ? [{ type: 'del', key: mirrorCopyKey(content) } as const] : [])
      ])
      if (operations.length > 0) await writer.batch(operations, { sync: true })
      return gone
    })
  }

  async collect(options: CollectOptions): Promise<CollectReport> {
    if (this.#collection !== undefined) throw new CatalogError('BUSY', 'a collection runs already')
    const { writer, segments, reader, backend, scheduler, log } = this.#modules
    const slice = scheduler.slice('gc')
    const collection = new Collection(
      { backend, index: writer, log, segments, source: reader, slice },
      options
    )
    this.#collection = collection
    try {
      await slice.pause()
      return await collection.run()
    } finally {
      this.#collection = undefined
    }
  }

  async *#kept(): AsyncGenerator<Kept> {
    const { writer } = this.#modules
    for await (const [key, value] of writer.iterate({ prefix: makeKey(KeyFamily.Held) }))
      yield { content: key.slice(KeyFamily.Held.length), usedMs: decodeHeld(value) }
    for await (const [key] of writer.iterate({ prefix: makeKey(KeyFamily.Complete) })) {
      const content = key.slice(KeyFamily.Complete.length)
      if (writer.get(heldKey(content)) === undefined) yield { content, usedMs: 0 }
    }
  }

  /** Contents that are pinned, and those that are kept for others. */
  async #pinned(pause: () => Promise<void>): Promise<LiveSet> {
    const pinned = new LiveSet()
    for await (const [key] of this.#modules.writer.iterate({ prefix: makeKey(KeyFamily.MirrorCopy) })) {
      pinned.add(digestOf(key))
      await pause()
    }
    for await (const [key] of this.#modules.writer.iterate({ prefix: makeKey(KeyFamily.ContentPin) })) {
      const [, release] = CID.decodeFirst(key.subarray(KeyFamily.ContentPin.length))
      pinned.add(digestOf(key.subarray(0, key.byteLength - release.byteLength)))
      await pause()
    }
    return pinned
  }

  async #named(pause: () => Promise<void>): Promise<{ named: LiveSet; own: LiveSet }> {
    const { writer } = this.#modules
    const named = new LiveSet()
    const own = new LiveSet()
    for await (const [key, value] of writer.iterate({ prefix: makeKey(KeyFamily.NameIndex) })) {
      const digest = digestOf(value)
      named.add(digest)
      const entry = parseNameIndexKey(key)
      // A key that cannot be read is damage, and no reason to throw something away.
      const isOwn = entry === undefined || (await ownLibrariesOf(writer, entry.recHash)).length > 0
      if (isOwn) own.add(digest)
      await pause()
    }
    return { named, own }
  }

  #sizeOf(content: Uint8Array): number {
    const mark = this.#modules.writer.get(completeKey(content))
    return (mark === undefined ? undefined : decodeCompleteMark(mark))?.sizeBytes ?? 0
  }

  #planned({ content, usedMs }: Kept, reason: PlannedContent['reason']): PlannedContent {
    return { content, usedMs, reason, sizeBytes: this.#sizeOf(content), releases: [] }
  }

  /** Fills in the names of what is planned. */
  async #nameAll(planned: PlannedContent[], pause: () => Promise<void>): Promise<void> {
    const unused = planned.filter(({ reason }) => reason === 'unused')
    const byContent = new Map(unused.map(entry => [CID.decode(entry.content).toString(), entry]))
    const contents = unused.map(({ content }) => content)
    const entries = entriesNaming(this.#modules.writer, contents, { onRow: pause })
    for await (const { name, version, content } of entries)
      byContent.get(content.toString())?.releases.push(`${name}@${version}`)
  }
}

/** The hash in a CID at the end of some bytes. */
const digestOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(-DIGEST_BYTES)

/** Those longest unused, as many as one plan may hold. */
const oldest = (kept: Kept[]): Kept[] => kept.sort((a, b) => a.usedMs - b.usedMs).slice(0, MAX_COLLECTED)
