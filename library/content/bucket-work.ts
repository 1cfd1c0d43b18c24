/** The main thread's part in moving segments to a bucket: asks the worker for each step, and lets go of what it freed. */
import type { WorkerClient } from '../worker/client.ts'
import { type Bucket, BucketOwner } from './bucket.ts'
import type { SegmentReads } from './segment-backend.ts'
import type { BucketStep, BucketWork } from './types.ts'

export interface BucketWorkModules {
  worker: WorkerClient
  reads: SegmentReads
  bucket: Bucket
  storeId: string
}

export class WorkerBucket implements BucketWork {
  readonly #modules: BucketWorkModules
  readonly #listeners: Array<() => void> = []

  constructor(modules: BucketWorkModules) {
    this.#modules = modules
  }

  async step(signal: AbortSignal): Promise<BucketStep> {
    const step = await this.#modules.worker.request('bucketStep', undefined, { signal })
    for (const segment of step.freed) this.#modules.reads.drop(segment)
    return step
  }

  onWork(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The store has grown, or a collection has dropped something. */
  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  async probe(signal?: AbortSignal): Promise<void> {
    const { bucket, storeId } = this.#modules
    await new BucketOwner(bucket, storeId).claim(signal)
  }
}
