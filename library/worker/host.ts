/**
 * The worker's side: the only writer of LevelDB and of the segments. Takes requests, runs them in the order
 * of the scheduler, answers. Nothing here knows of threads: thread.ts connects it to one.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, Semaphore, toCatalogError } from '../../base/index.ts'
import { unpackBlocks } from '../content/block-batch.ts'
import { verifyContent } from '../content/check.ts'
import { completeKey } from '../content/complete.ts'
import type { VerifyReport } from '../content/types.ts'
import { planAddAll } from '../registry/plan-add-all.ts'
import { PLANS } from '../registry/plans.ts'
import { Ingests } from './ingests.ts'
import { type Opened, type OpenModules, openAll } from './opened.ts'
import type { ParametersOf, ResultOf, WorkerMethod, WorkerSettings } from './protocol.ts'
import { Receives } from './receives.ts'
import { Scheduler } from './scheduler.ts'
import { scrub } from './scrub.ts'

export type WorkerHostModules = Pick<OpenModules, 'log' | 'openBackend' | 'onCommitted' | 'companion'>

/** Writes that may wait for their turn; each belongs to a request the main thread has limited already. */
const MAX_WAITING_WRITES = 10_000

type Handlers = {
  [M in WorkerMethod]: (parameters: ParametersOf<M>, signal: AbortSignal) => Promise<ResultOf<M>>
}

export class WorkerHost {
  readonly #modules: WorkerHostModules
  readonly #settings: WorkerSettings
  readonly #scheduler = new Scheduler({ monotonicMs: () => performance.now(), defer: setImmediate })
  /** Plans of the registry read and write: one at a time, or two could both find a name free. */
  readonly #writes = new Semaphore({ name: 'worker writes', maxActive: 1, maxWaiting: MAX_WAITING_WRITES })
  readonly #ingests: Ingests
  readonly #receives = new Receives({ scheduler: this.#scheduler })
  /** Calls under way: closing waits for them. */
  readonly #calls = new Set<Promise<unknown>>()
  #closing = false
  #opening: Promise<Opened> | undefined

  constructor(modules: WorkerHostModules, settings: WorkerSettings) {
    this.#modules = modules
    this.#settings = settings
    const { compression } = settings
    this.#ingests = new Ingests({ scheduler: this.#scheduler, compression })
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
      await this.#ingests.abortAll()
      await Promise.allSettled(this.#calls)
      await this.#close()
      return undefined
    },
    databaseWrite: async ({ operations, sync }) => {
      const { writer } = await this.#open()
      await this.#writes.run(() => writer.batch(operations, { sync }))
      return undefined
    },
    registryWrite: request => this.#register(request),
    registryAddAll: request => this.#addAll(request),
    ingestOpen: async ({ ingest }, signal) => {
      const { segments, completion } = await this.#open()
      // Its abort may have come first, while the store was being opened.
      signal.throwIfAborted()
      this.#ingests.begin(ingest, segments, completion)
      return undefined
    },
    ingestWrite: async ({ ingest, bytes }) => {
      await this.#ingests.write(ingest, bytes)
      return undefined
    },
    ingestFinish: ({ ingest, nowMs }, signal) => this.#ingests.finish(ingest, nowMs, signal),
    ingestAbort: async ({ ingest }) => {
      await this.#ingests.abort(ingest)
      return undefined
    },
    blocksWrite: async ({ receive, batch }, signal) => {
      const { segments } = await this.#open()
      await this.#receives.write(receive, unpackBlocks(batch), segments, signal)
      return undefined
    },
    blocksFlush: async ({ receive }) => {
      const { segments } = await this.#open()
      await this.#receives.flush(receive, segments)
      return undefined
    },
    blocksEnd: async ({ receive }) => {
      const { segments } = await this.#open()
      await this.#receives.end(receive, segments)
      return undefined
    },
    blockForget: ({ id, segment, offsetBytes }) => this.#forget(id, segment, offsetBytes),
    markComplete: async ({ receive, request }, signal) => {
      const { segments, completion } = await this.#open()
      await this.#receives.flush(receive, segments)
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
    contentsLetGo: async ({ contents, isAsked }) =>
      await (await this.#open()).keeping.letGo(contents, isAsked),
    collect: async ({ leases, without, dryRun }, signal) => {
      const { keeping } = await this.#open()
      const decoded = leases.map(lease => CID.decode(lease))
      const excluded = new Set(without.map(content => CID.decode(content).toString()))
      return await keeping.collect({ leases: decoded, without: excluded, dryRun, signal })
    },
    scrub: async (request, signal) => {
      const { writer, reader, damage, givenUp } = await this.#open()
      const step = await scrub({ writer, reader, scheduler: this.#scheduler }, request, signal)
      // What was found is out of the index, and what needs it has lost its mark, when this is answered.
      if (step.corrupt > 0) {
        await givenUp()
        await damage.run()
      }
      return step
    },
    bucketStep: async (_, signal) => {
      const { bucket } = await this.#open()
      if (bucket === undefined) throw new CatalogError('INVALID_ARGUMENT', 'the store has no bucket')
      return await bucket.step(signal)
    },
    registryRemove: async ({ recHash, nowMs }) => {
      await (await this.#open()).keeping.remove(recHash, nowMs)
      return undefined
    },
    companion: async ({ method, parameters }, signal) => {
      const { companion } = await this.#open()
      return await companion.handle(method, parameters, signal)
    }
  }

  /** Opens once; a failure is told to all who wait, and the next request tries again. */
  #open(): Promise<Opened> {
    const modules = { ...this.#modules, scheduler: this.#scheduler, writes: this.#writes }
    this.#opening ??= openAll(modules, this.#settings).catch(thrown => {
      this.#opening = undefined
      throw thrown
    })
    return this.#opening
  }

  async #close(): Promise<void> {
    const opening = this.#opening
    if (opening === undefined) return
    this.#opening = undefined
    await (await opening).close()
  }

  async #register({
    change,
    record,
    libraryId,
    nowMs
  }: ParametersOf<'registryWrite'>): Promise<ResultOf<'registryWrite'>> {
    const { writer, commits } = await this.#open()
    const { added, stored } = await commits.run(() => PLANS[change](writer, record, nowMs, libraryId), nowMs)
    return { added, stored }
  }

  async #addAll(request: ParametersOf<'registryAddAll'>): Promise<ResultOf<'registryAddAll'>> {
    const { writer, commits } = await this.#open()
    const { outcomes, error } = await this.#scheduler.run('sync', slice =>
      commits.run(() => planAddAll(writer, request, slice), request.nowMs)
    )
    return { outcomes, ...(error && { error: error.toJSON() }) }
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
