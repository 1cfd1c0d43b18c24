/**
 * Who runs next in the worker. Jobs are asynchronous functions that work in slices: between two pieces of
 * work a job asks `due()`, and when its 20 ms are over, or someone more urgent waits, it calls `pause()` and
 * goes on when it is its turn again. Turns go to the most urgent class first, within a class to who has
 * waited longest. A job of a lower class that has waited a second gets one slice all the same, so that
 * nothing starves.
 *
 * The scheduler does no work itself and knows no thread: it takes a clock and a way to run something later
 * (after the messages that have arrived meanwhile).
 */
import { SECOND_MS } from '../../base/index.ts'

/** Classes of jobs, the most urgent first: bytes from peers must be taken, an index can be late. */
export const JOB_CLASSES = ['receive', 'ingest', 'sync', 'index', 'gc'] as const
export type JobClass = (typeof JOB_CLASSES)[number]

/** Longest piece of work without a look at who else waits. */
export const SLICE_MS = 20
/** Longest wait for a turn while others have more urgent work. */
const MAX_WAIT_MS = SECOND_MS

/** What a job sees of the scheduler. */
export interface Slice {
  /** Whether the job should pause now. Cheap: ask after each piece of work of up to a few ms. */
  due(): boolean
  /** Resolves at the job's next turn. */
  pause(): Promise<void>
}

export interface SchedulerModules {
  monotonicMs(): number
  /** Runs a function soon, after pending events. */
  defer(run: () => void): void
}

interface Waiter {
  rank: number
  sinceMs: number
  resume(): void
}

export class Scheduler {
  readonly #modules: SchedulerModules
  /** One queue per class, in JOB_CLASSES order. */
  readonly #queues: Waiter[][] = JOB_CLASSES.map(() => [])
  #sliceStartMs = 0
  #scheduled = false

  constructor(modules: SchedulerModules) {
    this.#modules = modules
  }

  /** Runs a job from its first turn to its end. */
  async run<T>(jobClass: JobClass, job: (slice: Slice) => Promise<T>): Promise<T> {
    const slice = this.slice(jobClass)
    await slice.pause()
    return await job(slice)
  }

  /** For a job that lives over several calls: its place among the others. */
  slice(jobClass: JobClass): Slice {
    const rank = JOB_CLASSES.indexOf(jobClass)
    return { due: () => this.#isDue(rank), pause: () => this.#turn(rank) }
  }

  #isDue(rank: number): boolean {
    if (this.#modules.monotonicMs() - this.#sliceStartMs >= SLICE_MS) return true
    return this.#queues.some((queue, other) => other < rank && queue.length > 0)
  }

  #turn(rank: number): Promise<void> {
    return new Promise(resume => {
      this.#queues[rank]!.push({ rank, sinceMs: this.#modules.monotonicMs(), resume })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#modules.defer(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #next(): void {
    const waiter = this.#starving() ?? this.#queues.find(queue => queue.length > 0)?.[0]
    if (waiter === undefined) return
    this.#queues[waiter.rank]!.shift()
    this.#sliceStartMs = this.#modules.monotonicMs()
    waiter.resume()
    if (this.#queues.some(queue => queue.length > 0)) this.#schedule()
  }

  /** Who has waited too long, the longest first. */
  #starving(): Waiter | undefined {
    const limit = this.#modules.monotonicMs() - MAX_WAIT_MS
    const late = this.#queues.flatMap(queue => queue.slice(0, 1)).filter(waiter => waiter.sinceMs <= limit)
    return late.sort((a, b) => a.sinceMs - b.sinceMs)[0]
  }
}
