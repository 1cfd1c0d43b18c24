/**
 * Folders that are being taken in. An ingest lives over several calls; they run one after another, and it ends with the call
 * that finishes it, with the one that aborts it, or with the worker. Until then what it has put stays.
 */
import { CatalogError } from '../../base/index.ts'
import type { Compression } from '../content/compression.ts'
import { TarIngest } from '../content/ingest.ts'
import type { SegmentStore } from '../content/segments.ts'
import type { Completion } from './completion.ts'
import type { IngestOutcome } from './protocol.ts'
import type { Scheduler } from './scheduler.ts'

/** Ingests open at once. Each holds a 2 MiB window; one more is BUSY. */
const MAX_INGESTS = 16

export interface IngestsModules {
  scheduler: Scheduler
  compression: Compression
}

interface OpenIngest {
  ingest: TarIngest
  completion: Completion
  last: Promise<unknown>
  /** Of the store when the ingest began. */
  losses: number
  /** What it has put stays while it is open. */
  release(): void
}

export class Ingests {
  readonly #modules: IngestsModules
  readonly #open = new Map<number, OpenIngest>()

  constructor(modules: IngestsModules) {
    this.#modules = modules
  }

  /** The number is the caller's, never used before: it can abort what it has not yet heard to be open. */
  begin(number: number, segments: SegmentStore, completion: Completion): void {
    if (this.#open.size >= MAX_INGESTS)
      throw new CatalogError('BUSY', `${MAX_INGESTS} folders are being taken in already`)
    const { scheduler, compression } = this.#modules
    const ingest = new TarIngest({ segments, slice: scheduler.slice('ingest') }, { compression })
    const release = segments.barrier.lease()
    const { losses } = segments
    this.#open.set(number, { ingest, completion, losses, last: Promise.resolve(), release })
  }

  async write(number: number, bytes: Uint8Array): Promise<void> {
    await this.#inOrder(number, ({ ingest }) => ingest.write(bytes, { isGiven: true }))
  }

  async finish(number: number, nowMs: number, signal: AbortSignal): Promise<IngestOutcome> {
    return await this.#inOrder(number, async open => {
      try {
        const { content, sizeBytes, files, newBytes } = await open.ingest.finish()
        const request = { content: content.bytes, summary: { sizeBytes, files }, nowMs }
        await open.completion.markPut(request, open.losses, signal)
        return { content: content.bytes, sizeBytes, files, newBytes }
      } catch (thrown) {
        await open.ingest.abort()
        throw thrown
      } finally {
        this.#end(number)
      }
    })
  }

  async abort(number: number): Promise<void> {
    await this.#end(number)?.ingest.abort()
  }

  async abortAll(): Promise<void> {
    for (const number of [...this.#open.keys()]) await this.abort(number)
  }

  #end(number: number): OpenIngest | undefined {
    const open = this.#open.get(number)
    this.#open.delete(number)
    open?.release()
    return open
  }

  /** Runs a call of an ingest after those before it. */
  async #inOrder<T>(number: number, call: (open: OpenIngest) => Promise<T>): Promise<T> {
    const open = this.#open.get(number)
    if (open === undefined) throw new CatalogError('ABORTED', 'this ingest is no longer open')
    const run = open.last.then(() => call(open))
    open.last = run.catch(() => {})
    return await run
  }
}
