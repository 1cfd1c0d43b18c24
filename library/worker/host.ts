/**
 * The worker's side: the only writer of LevelDB and of the segments. Takes requests, runs them in the order
 * of the scheduler, answers. Nothing here knows of threads: worker.ts connects it to one.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type Logger, Semaphore, toCatalogError } from '../../base/index.ts'
import { unpackBlocks } from '../content/block-batch.ts'
import { hashBlock, idHex, rawBytesOf, sameId } from '../content/blocks.ts'
import { verifyContent } from '../content/check.ts'
import { completeKey } from '../content/complete.ts'
import { nodeDisk } from '../content/disk.ts'
import { TarIngest } from '../content/ingest.ts'
import { BlockReader } from '../content/reader.ts'
import type { BlockLocation } from '../content/record.ts'
import { SegmentFiles } from '../content/segment-files.ts'
import { SegmentStore } from '../content/segments.ts'
import { WriteSession } from '../content/stage.ts'
import type { IncomingBlock, VerifyReport } from '../content/types.ts'
import { type Level, LevelWriter, openLevel } from '../database/level.ts'
import { planAdd, planPublish } from '../registry/plan.ts'
import { Completion, type CompletionModules } from './completion.ts'
import { DamageCheck } from './damage.ts'
import { Keeping } from './keeping.ts'
import type { IngestOutcome, ParametersOf, ResultOf, WorkerMethod, WorkerSettings } from './protocol.ts'
import { Scheduler } from './scheduler.ts'
import { scrub } from './scrub.ts'

export interface WorkerHostModules {
  log: Logger
}

/** Ingests open at once. Each holds a 2 MiB window; the admin API's own limit is lower. */
const MAX_INGESTS = 16
/** Writes that may wait for their turn; each belongs to a request the main thread has limited already. */
const MAX_WAITING_WRITES = 10_000

/** One open ingest: its calls run one after another. */
interface OpenIngest {
  ingest: TarIngest
  last: Promise<unknown>
  /** What it has put stays while it is open. */
  release(): void
}

interface Opened {
  level: Level
  writer: LevelWriter
  segments: SegmentStore
  files: SegmentFiles
  reader: BlockReader
  damage: DamageCheck
  completion: Completion
  keeping: Keeping
}

type Handlers = {
  [M in WorkerMethod]: (parameters: ParametersOf<M>, signal: AbortSignal) => Promise<ResultOf<M>>
}

export class WorkerHost {
  readonly #log: Logger
  readonly #settings: WorkerSettings
  readonly #scheduler = new Scheduler({ monotonicMs: () => performance.now(), defer: setImmediate })
  /** Plans of the registry read and write: one at a time, or two could both find a name free. */
  readonly #writes = new Semaphore({ name: 'worker writes', maxActive: 1, maxWaiting: MAX_WAITING_WRITES })
  readonly #ingests = new Map<number, OpenIngest>()
  /**
   * Of all fetches together. When a stage fails, those who wait in a flush learn why, later ones only that blocks are
   * missing (CONTENT_MISSING at `markComplete`); they ask for these again, and meet the full disk themselves.
   */
  readonly #received = new WriteSession()
  /** Calls under way: closing waits for them. */
  readonly #calls = new Set<Promise<unknown>>()
  /** Corrupt blocks on their way out of the index. */
  readonly #givingUp = new Set<Promise<unknown>>()
  #closing = false
  #nextIngest = 1
  #opening: Promise<Opened> | undefined

  constructor(modules: WorkerHostModules, settings: WorkerSettings) {
    this.#log = modules.log
    this.#settings = settings
  }

  /** Answers one request; rejects with CatalogError. */
  async handle<M extends WorkerMethod>(
    method: M,
    parameters: ParametersOf<M>,
    signal: AbortSignal
  ): Promise<ResultOf<M>> {
    if (this.#closing) throw new CatalogError('SHUTTING_DOWN', 'the worker is closing')
    const call = this.#handlers[method](parameters, signal)
    if (method !== 'close') this.#track(call)
    try {
      return await call
    } catch (thrown) {
      throw toCatalogError(thrown)
    }
  }

  #track(call: Promise<unknown>): void {
    this.#calls.add(call)
    const done = (): void => void this.#calls.delete(call)
    call.then(done, done)
  }

  readonly #handlers: Handlers = {
    open: async () => {
      await this.#open()
      return undefined
    },
    close: async () => {
      this.#closing = true
      await this.#abortIngests()
      await Promise.allSettled(this.#calls)
      await this.#close()
      return undefined
    },
    databaseWrite: async ({ operations, sync }) => {
      const { writer } = await this.#open()
      await this.#writes.run(() => writer.batch(operations, { sync }))
      return undefined
    },
    registryPublish: ({ record, nowMs }) => this.#register(planPublish, record, nowMs),
    registryAdd: ({ record, nowMs }) => this.#register(planAdd, record, nowMs),
    ingestOpen: async () => await this.#openIngest(),
    ingestWrite: async ({ ingest, bytes }) => {
      await this.#inOrder(ingest, open => open.write(bytes, { isGiven: true }))
      return undefined
    },
    ingestFinish: ({ ingest, nowMs }) =>
      this.#inOrder(ingest, open => this.#finishIngest(ingest, open, nowMs)),
    ingestAbort: async ({ ingest }) => {
      const open = this.#ingests.get(ingest)
      this.#ingests.delete(ingest)
      open?.release()
      await open?.ingest.abort()
      return undefined
    },
    blocksWrite: async batch => {
      await this.#writeBlocks(unpackBlocks(batch))
      return undefined
    },
    blocksFlush: async () => {
      const { segments } = await this.#open()
      await segments.flush(this.#received)
      return undefined
    },
    blockForget: ({ id, segment, offsetBytes }) => this.#forget(id, segment, offsetBytes),
    markComplete: async (request, signal) => {
      const { segments, completion } = await this.#open()
      await segments.flush(this.#received)
      await completion.mark(request, signal)
      return undefined
    },
    verify: ({ content }, signal) => this.#verify(content, signal),
    contentPin: async ({ content, release, nowMs }) => {
      await (await this.#open()).keeping.pin(content, release, nowMs)
      return undefined
    },
    contentUnpin: async ({ content, release }) => {
      await (await this.#open()).keeping.unpin(content, release)
      return undefined
    },
    contentsUsed: async uses => {
      await (await this.#open()).keeping.used(uses)
      return undefined
    },
    collectPlan: async (request, signal) => await (await this.#open()).keeping.plan(request, signal),
    contentsLetGo: async ({ contents }) => await (await this.#open()).keeping.letGo(contents),
    collect: async ({ leases, without, dryRun }, signal) => {
      const { keeping } = await this.#open()
      const decoded = leases.map(lease => CID.decode(lease))
      const excluded = new Set(without.map(content => CID.decode(content).toString()))
      return await keeping.collect({ leases: decoded, without: excluded, dryRun, signal })
    },
    scrub: async (request, signal) => {
      const { writer, reader, damage } = await this.#open()
      const step = await scrub({ writer, reader, scheduler: this.#scheduler }, request, signal)
      // What was found is out of the index, and what needs it has lost its mark, when this is answered.
      if (step.corrupt > 0) {
        await Promise.allSettled(this.#givingUp)
        await damage.run()
      }
      return step
    },
    registryRemove: async ({ recHash }) => {
      await (await this.#open()).keeping.remove(recHash)
      return undefined
    }
  }

  /** Opens once; a failure is told to all who wait, and the next request tries again. */
  #open(): Promise<Opened> {
    this.#opening ??= this.#openAll().catch(thrown => {
      this.#opening = undefined
      throw thrown
    })
    return this.#opening
  }

  async #openAll(): Promise<Opened> {
    const { databaseFolder, segmentsFolder, quotaBytes } = this.#settings
    const log = this.#log
    const level = await openLevel(databaseFolder)
    try {
      const writer = new LevelWriter(level)
      const segments = await SegmentStore.open(
        { disk: nodeDisk, index: writer, log },
        { folder: segmentsFolder, quotaBytes }
      )
      const files = new SegmentFiles(segmentsFolder)
      const reader = new BlockReader({
        index: writer,
        files,
        log,
        onCorrupt: (id, location) => {
          const going = giveUp(id, location)
          this.#track(going)
          this.#givingUp.add(going)
          void going.finally(() => this.#givingUp.delete(going))
        }
      })
      const scheduler = this.#scheduler
      const damage = new DamageCheck({ reader, writer, scheduler, log })
      const giveUp = async (id: Uint8Array, location: BlockLocation): Promise<void> => {
        try {
          await segments.forget(id, location)
          void damage.run()
        } catch (err) {
          log.error({ err }, 'a corrupt block stays in the index')
        }
      }
      if (damage.isDue) void damage.run()
      const writes = this.#writes
      const keeping = new Keeping({
        writer,
        segments,
        reader,
        files,
        scheduler: this.#scheduler,
        writes,
        log
      })
      const commit: CompletionModules['commit'] = (content, summary, nowMs) =>
        keeping.mark(content, summary, nowMs)
      const completion = new Completion({ reader, writer, segments, damage, scheduler, commit })
      return { level, writer, segments, files, reader, damage, completion, keeping }
    } catch (thrown) {
      await level.close()
      throw thrown
    }
  }

  async #abortIngests(): Promise<void> {
    for (const { ingest, release } of this.#ingests.values()) {
      await ingest.abort()
      release()
    }
    this.#ingests.clear()
  }

  async #close(): Promise<void> {
    const opening = this.#opening
    if (opening === undefined) return
    this.#opening = undefined
    const { level, segments, files, damage } = await opening
    await damage.stop()
    await segments.close()
    await files.close()
    await level.close()
  }

  /** Plans a change of the registry and commits it durably, with no other write between the two. */
  async #register(
    plan: typeof planPublish,
    record: Uint8Array,
    nowMs: number
  ): Promise<{ added: boolean; stored: Uint8Array }> {
    const { writer } = await this.#open()
    return await this.#writes.run(async () => {
      const { operations, added, stored } = await plan(writer, record, nowMs)
      if (operations.length > 0) await writer.batch(operations, { sync: true })
      return { added, stored }
    })
  }

  async #openIngest(): Promise<number> {
    const { segments } = await this.#open()
    if (this.#ingests.size >= MAX_INGESTS)
      throw new CatalogError('BUSY', `${MAX_INGESTS} folders are being taken in already`)
    const number = this.#nextIngest++
    const ingest = new TarIngest(
      { segments, slice: this.#scheduler.slice('ingest') },
      { compression: this.#settings.compression }
    )
    const release = segments.barrier.lease()
    this.#ingests.set(number, { ingest, last: Promise.resolve(), release })
    return number
  }

  /** Runs a call of an ingest after those before it. */
  async #inOrder<T>(number: number, call: (ingest: TarIngest) => Promise<T>): Promise<T> {
    const open = this.#ingests.get(number)
    if (open === undefined) throw new CatalogError('ABORTED', 'this ingest is no longer open')
    const run = open.last.then(() => call(open.ingest))
    open.last = run.catch(() => {})
    return await run
  }

  async #finishIngest(number: number, ingest: TarIngest, nowMs: number): Promise<IngestOutcome> {
    const { keeping } = await this.#open()
    const open = this.#ingests.get(number)
    try {
      const { content, sizeBytes, files, newBytes } = await ingest.finish()
      await keeping.mark(content.bytes, { sizeBytes, files }, nowMs)
      return { content: content.bytes, sizeBytes, files, newBytes }
    } catch (thrown) {
      await ingest.abort()
      throw thrown
    } finally {
      this.#ingests.delete(number)
      open?.release()
    }
  }

  async #writeBlocks(blocks: IncomingBlock[]): Promise<void> {
    const { segments } = await this.#open()
    await this.#scheduler.run('receive', async slice => {
      for (const block of blocks) {
        const raw = rawBytesOf(block)
        if (raw === undefined || !sameId(hashBlock(raw), block.id))
          throw new CatalogError('BYTES_WRONG', `block ${idHex(block.id)} does not match its hash`, {
            details: { id: idHex(block.id) }
          })
        if (slice.due()) await slice.pause()
      }
      for (const block of blocks) await segments.put(block, this.#received)
    })
  }

  /**
   * The main thread read wrong bytes: look again here, alone with the disk, before the index gives the block
   * up. True when the bytes are right after all.
   */
  async #forget(id: Uint8Array, segment: number, offsetBytes: number): Promise<boolean> {
    const { reader, segments, damage } = await this.#open()
    const location = reader.locate(id)
    if (location === undefined || location.segment !== segment || location.offsetBytes !== offsetBytes)
      return false
    const state = await reader.check(id)
    if (state !== 'corrupt') return state === 'good'
    await segments.forget(id, location)
    await damage.run()
    return false
  }

  async #verify(content: Uint8Array, signal: AbortSignal): Promise<VerifyReport> {
    const { reader, writer } = await this.#open()
    const cid = CID.decode(content)
    const report = await this.#scheduler.run('index', slice => verifyContent(reader, cid, slice, signal))
    if (!report.ok)
      await this.#writes.run(() => writer.batch([{ type: 'del', key: completeKey(content) }], { sync: true }))
    return report
  }
}
