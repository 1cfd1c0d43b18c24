/**
 * The virtual clock. Nothing waits: what is to happen later stands in a queue, and time jumps from one event to the next. Between two
 * events everything that the first one set going runs to its next wait, so the order of all that happens follows from
 * the queue alone.
 */
interface Event {
  readonly atMs: number
  /** Events of one time happen in the order in which they were planned. */
  readonly number: number
  readonly run: () => void
}

export class Timeline {
  readonly #queue: Event[] = []
  readonly #startMs: number
  #nowMs: number
  #planned = 0
  #failure: { error: unknown } | undefined
  /** Events that have happened. */
  events = 0

  constructor(startMs: number) {
    this.#startMs = startMs
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get passedMs(): number {
    return this.#nowMs - this.#startMs
  }

  /** Time is in whole milliseconds, as in records and heads. */
  after(delayMs: number, run: () => void): void {
    push(this.#queue, { atMs: this.#nowMs + Math.ceil(delayMs), number: this.#planned++, run })
  }

  /** Everybody sleeps, with all that was to happen: it happens as much later. */
  skip(timeMs: number): void {
    this.#nowMs += timeMs
    for (const [at, event] of this.#queue.entries()) this.#queue[at] = { ...event, atMs: event.atMs + timeMs }
  }

  /** Lets something run on its own; should it fail, so does the simulation. */
  spawn(task: Promise<unknown>): void {
    task.catch(error => this.fail(error))
  }

  /** Ends the simulation at its next event; the first error counts. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /** Lets time pass, to its end or until `isDone` after some event. Throws what failed meanwhile. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await settled()
    this.#expectNoFailure()
    while (!isDone()) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs)
        return
      }
      pop(this.#queue)
      this.#nowMs = next.atMs
      this.events++
      next.run()
      await settled()
      this.#expectNoFailure()
    }
  }

  #expectNoFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Resolves when all promises that can go on have gone on. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const isBefore = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)

/** A binary heap: the parent of `at` is at (at - 1) / 2. */
function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (isBefore(heap[parent]!, event)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const moved = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    if (left >= heap.length) break
    const right = left + 1
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
    if (isBefore(moved, heap[child]!)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = moved
}
