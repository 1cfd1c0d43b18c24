/** The main thread's handle on an ingest that runs in the worker. */
import { CID } from 'multiformats/cid'
import { CatalogError, MIB, toCatalogError } from '../../base/index.ts'
import type { WorkerPort } from '../worker/client.ts'
import type { Ingest, IngestResult } from './types.ts'

/** Bytes on their way to the worker and not yet taken in: more would only wait in memory. */
const WINDOW_BYTES = 4 * MIB

export interface IngestClientOptions {
  /** Never used before in the life of the worker's client, so that no other ingest can ever be meant. */
  number: number
  signal?: AbortSignal
  nowMs(): number
  /** Called after each piece that was taken in. */
  onWritten(): void
  onFinished(result: IngestResult): void
}

export class IngestClient implements Ingest {
  readonly #worker: WorkerPort
  readonly #options: IngestClientOptions
  /** Keeps the worker from ending while the caller is slow. */
  readonly #release: () => void
  #outstandingBytes = 0
  #failure: CatalogError | undefined
  #ended = false
  #wake: (() => void) | undefined
  readonly #onAbort = (): void => {
    void this.abort()
  }

  private constructor(worker: WorkerPort, release: () => void, options: IngestClientOptions) {
    this.#worker = worker
    this.#release = release
    this.#options = options
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  static async open(worker: WorkerPort, options: IngestClientOptions): Promise<IngestClient> {
    const release = worker.hold()
    try {
      await worker.request('ingestOpen', { ingest: options.number }, { signal: options.signal })
      return new IngestClient(worker, release, options)
    } catch (thrown) {
      // Who was cancelled does not know whether the worker has opened it.
      await abortIn(worker, options.number)
      release()
      throw thrown
    }
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#throwFailure()
    const { byteLength } = bytes
    while (this.#outstandingBytes > 0 && this.#outstandingBytes + byteLength > WINDOW_BYTES) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#throwFailure()
    }
    this.#outstandingBytes += byteLength
    this.#worker
      .request('ingestWrite', { ingest: this.#options.number, bytes }, { transfer: [bytes] })
      .then(this.#options.onWritten)
      .catch(thrown => {
        this.#failure ??= toCatalogError(thrown)
      })
      .finally(() => {
        this.#outstandingBytes -= byteLength
        this.#wake?.()
      })
  }

  async finish(): Promise<IngestResult> {
    this.#throwFailure()
    try {
      const outcome = await this.#worker.request('ingestFinish', {
        ingest: this.#options.number,
        nowMs: this.#options.nowMs()
      })
      const result = { ...outcome, content: CID.decode(outcome.content) }
      this.#options.onFinished(result)
      return result
    } finally {
      this.#end()
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#failure ??= new CatalogError('ABORTED', 'the ingest was aborted')
    this.#end()
    this.#wake?.()
    await abortIn(this.#worker, this.#options.number)
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) throw new CatalogError('ABORTED', 'this ingest is over')
  }

  #end(): void {
    this.#ended = true
    this.#release()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }
}

async function abortIn(worker: WorkerPort, number: number): Promise<void> {
  try {
    await worker.request('ingestAbort', { ingest: number })
  } catch {
    // The worker is gone or closing, and holds no ingest any more.
  }
}
