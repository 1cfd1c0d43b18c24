/** The main thread's handle on blocks from peers that go into the store through the worker. */
import type { CID } from 'multiformats/cid'
import type { WorkerPort } from '../worker/client.ts'
import { packBlocks } from './block-batch.ts'
import type { ContentSummary, IncomingBlock, Receive } from './types.ts'

export interface ReceiveClientOptions {
  /** Never used before in the life of the worker's client. */
  number: number
  nowMs(): number
  onWritten(sizeBytes: number): void
  /** A content is whole. */
  onComplete(): void
}

export class ReceiveClient implements Receive {
  readonly #worker: WorkerPort
  readonly #options: ReceiveClientOptions
  /** What was never begun needs no worker to be ended. */
  #isBegun = false

  constructor(worker: WorkerPort, options: ReceiveClientOptions) {
    this.#worker = worker
    this.#options = options
  }

  async writeBlocks(blocks: IncomingBlock[], signal?: AbortSignal): Promise<void> {
    const sizeBytes = blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)
    const batch = packBlocks(blocks)
    this.#isBegun = true
    const parameters = { receive: this.#options.number, batch }
    await this.#worker.request('blocksWrite', parameters, { transfer: batch.memories, signal })
    this.#options.onWritten(sizeBytes)
  }

  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#isBegun)
      await this.#worker.request('blocksFlush', { receive: this.#options.number }, { signal })
  }

  async markComplete(
    content: CID,
    summary: ContentSummary,
    { older, signal }: { older?: CID; signal?: AbortSignal } = {}
  ): Promise<void> {
    const { number, nowMs } = this.#options
    const request = { content: content.bytes, summary, older: older?.bytes, nowMs: nowMs() }
    await this.#worker.request('markComplete', { receive: number, request }, { signal })
    this.#options.onComplete()
  }

  async end(): Promise<void> {
    if (!this.#isBegun) return
    this.#isBegun = false
    await this.#worker.request('blocksEnd', { receive: this.#options.number })
  }
}
