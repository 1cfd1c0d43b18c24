import { assertWholeNumber } from './assert.ts'
import { CatalogError } from './errors.ts'

export interface SemaphoreOptions {
  /** What is limited, for the message of BUSY. */
  readonly name: string
  /** Tasks that may run at once; at least 1. */
  readonly maxActive: number
  /** Callers that may wait for a place; 0 = none, the caller is refused at once. */
  readonly maxWaiting: number
}

/** Gives a place back; calling it again does nothing. */
export type Release = () => void

interface Waiter {
  grant(): void
}

/**
 * A limit on what runs at once and on what waits for it, first come first served. Beyond both limits callers get BUSY
 * (details: name, maxActive, maxWaiting) instead of growing a queue without end.
 */
export class Semaphore {
  readonly #options: SemaphoreOptions
  /** Insertion order is the queue; a Set so that an aborted waiter leaves in constant time. */
  readonly #waiting = new Set<Waiter>()
  #active = 0
  #maxActive: number

  constructor(options: SemaphoreOptions) {
    assertWholeNumber(options.maxActive, 1, 'maxActive')
    assertWholeNumber(options.maxWaiting, 0, 'maxWaiting')
    this.#options = options
    this.#maxActive = options.maxActive
  }

  /** What is limited. */
  get name(): string {
    return this.#options.name
  }

  get active(): number {
    return this.#active
  }

  get maxActive(): number {
    return this.#maxActive
  }

  /** Changes the limit: with a higher one those that wait come in at once, with a lower one nobody is put out. */
  set maxActive(maxActive: number) {
    assertWholeNumber(maxActive, 1, 'maxActive')
    this.#maxActive = maxActive
    while (this.#active < maxActive && this.#waiting.size > 0) {
      this.#active++
      this.#grantNext()
    }
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes a place and returns its release. Rejects with BUSY when the queue is full, with the signal's reason on abort. */
  async acquire(signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted()
    const free = this.tryAcquire()
    if (free !== undefined) return free
    const { name, maxWaiting } = this.#options
    const maxActive = this.#maxActive
    if (this.#waiting.size >= maxWaiting)
      throw new CatalogError('BUSY', `${name}: ${maxActive} running and ${maxWaiting} waiting is the limit`, {
        details: { name, maxActive, maxWaiting }
      })
    await this.#turn(signal)
    return this.#releaseOnce()
  }

  /** Takes a place if one is free at once. */
  tryAcquire(): Release | undefined {
    if (this.#active >= this.#maxActive) return undefined
    this.#active++
    return this.#releaseOnce()
  }

  /** Runs `fn` in a place, and gives the place back whatever happens. */
  async run<T>(fn: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(signal)
    try {
      return await fn()
    } finally {
      release()
    }
  }

  /** Waits to be handed the place of one who releases: `#active` stays as it is while the place changes hands. */
  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #releaseOnce(): Release {
    let held = true
    return () => {
      if (!held) return
      held = false
      if (this.#waiting.size === 0 || this.#active > this.#maxActive) this.#active--
      else this.#grantNext()
    }
  }

  #grantNext(): void {
    const [next] = this.#waiting
    this.#waiting.delete(next!)
    next!.grant()
  }
}
