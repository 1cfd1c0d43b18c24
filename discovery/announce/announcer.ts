import {
  backoffDelayMs,
  CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS
} from '../../base/index.ts'
import type { Delivery } from './delivery.ts'
import { MAX_PENDING, type PendingKeys } from './pending.ts'
import { LATE_ANSWER_MS, type Placed, type PlacedKey, sortedKeys } from './placement.ts'
import { EXACT } from './region.ts'

export interface AnnounceProgress {
  /** Holders of the key that has fewest. */
  readonly holders: number
  readonly wanted: number
  /** The peer that has just answered, and how many keys it took. */
  readonly peer: string
  readonly accepted: number
  readonly refused: number
}

export interface AnnounceOptions {
  /** Return when each key is held by this many peers; 0 (the default) = when it is written down. */
  readonly wait?: number
  /** With `wait`: how long to hope for late answers and more peers after an attempt that was not enough; 10 s unless given. */
  readonly patienceMs?: number
  readonly signal?: AbortSignal
  onProgress?(progress: AnnounceProgress): void
}

export interface AnnounceResult {
  /** Each key has the holders that were waited for. If not there are too few peers; the node goes on trying. */
  readonly isComplete: boolean
  /** Peers that hold each key so far, this node not counted. */
  readonly keys: ReadonlyArray<{ key: Uint8Array; holders: readonly string[] }>
}

export interface AnnouncerModules {
  readonly delivery: Pick<Delivery, 'claim' | 'hurry'>
  readonly pending: PendingKeys
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** After a peer has come, before pending keys are announced: several mostly come together. */
const CONNECT_PAUSE_MS = 200
/** When pending keys are tried again; without end, so `attempts` is not used. A little jitter, as nodes restart together. */
const RETRY: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 30 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.2
}

interface Waiter {
  readonly keys: ReadonlyMap<string, PlacedKey>
  onPlaced(placed: Placed): void
}

/** Announces keys: at once when asked, and again when peers come, until each is where it should be. */
export class Announcer {
  readonly #modules: AnnouncerModules
  readonly #stopping = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  #retry: AbortController | undefined
  /** Attempts since a peer came. */
  #attempts = 0
  #isRetrying = false
  /** Announcements that somebody waits for: later attempts for their keys count for them too. */
  readonly #waiters = new Set<Waiter>()

  constructor(modules: AnnouncerModules) {
    this.#modules = modules
  }

  /** Begins to look after pending keys. */
  start(): void {
    this.#scheduleRetry(CONNECT_PAUSE_MS)
  }

  /** Ends what is under way; pending keys stay on disk. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CatalogError('SHUTTING_DOWN', 'discovery was stopped'))
    await Promise.all(this.#tasks)
  }

  /** A peer has come: pending keys have somewhere to go. */
  peerCame(): void {
    this.#attempts = 0
    if (this.#modules.pending.size > 0) this.#scheduleRetry(CONNECT_PAUSE_MS)
  }

  /**
   * Announces keys to the peers that should hold them. What was asked for is on disk before the first peer is asked; the
   * work goes on in the background after the return, and after an abort of `signal`, which ends only the wait. Throws the
   * signal's reason, LIMIT_EXCEEDED.
   */
  async announce(keys: readonly Uint8Array[], options: AnnounceOptions = {}): Promise<AnnounceResult> {
    const { wait = 0, patienceMs = LATE_ANSWER_MS, signal } = options
    signal?.throwIfAborted()
    if (keys.length > MAX_PENDING)
      throw new CatalogError('LIMIT_EXCEEDED', `announce at most ${MAX_PENDING} keys at once`)
    const placed = sortedKeys(keys)
    const { delivery, pending } = this.#modules
    await Promise.all([delivery.claim(placed), pending.add(placed.map(({ key }) => key))])
    const { waiter, reached } = newWaiter(placed, options)
    this.#waiters.add(waiter)
    try {
      const task = this.#run(placed)
      if (wait > 0) await this.#untilReached(reached, task, patienceMs, signal)
    } finally {
      this.#waiters.delete(waiter)
    }
    return {
      isComplete: fewestHolders(placed) >= wait,
      keys: placed.map(({ key, holders }) => ({ key, holders: [...holders] }))
    }
  }

  /** Until the goal is reached, or the attempt is over and nothing has come of the patience after it. */
  async #untilReached(
    reached: Promise<void>,
    task: Promise<void>,
    patienceMs: number,
    signal: AbortSignal | undefined
  ): Promise<void> {
    const done = new AbortController()
    const over = AbortSignal.any([done.signal, this.#stopping.signal])
    // An aborted wait means that there is nothing more to wait for.
    const patience = task.then(() => this.#modules.clock.wait(patienceMs, over)).catch(() => undefined)
    try {
      await untilAborted(Promise.race([reached, patience]), signal)
    } finally {
      done.abort()
    }
  }

  /** Keys that found no holder: they are tried again soon instead of at the next sweep. */
  async retryLater(keys: readonly PlacedKey[]): Promise<void> {
    if (keys.length === 0) return
    await this.#modules.pending.add(keys.map(({ key }) => key))
    this.#scheduleRetry(this.#retryDelayMs())
  }

  /** Announces keys in the background; never rejects. */
  #run(keys: PlacedKey[]): Promise<void> {
    const task = this.#announce(keys)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#modules.log.error({ err: error }, 'an announcement failed')
      })
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
    return task
  }

  async #announce(keys: PlacedKey[]): Promise<void> {
    const { pending, delivery } = this.#modules
    const { signal } = this.#stopping
    const onPlaced = (placed: Placed): void => {
      for (const waiter of this.#waiters) if (concerns(placed, waiter)) waiter.onPlaced(placed)
    }
    await delivery.hurry(keys, onPlaced, signal)
    if (signal.aborted) return
    await pending.settle(
      keys.map(({ key, holders }) => ({ key, holders: holders.size, isDone: holders.size >= EXACT }))
    )
    if (pending.size > 0) this.#scheduleRetry(this.#retryDelayMs())
  }

  #retryDelayMs(): number {
    return backoffDelayMs(RETRY, this.#attempts + 1, this.#modules.random())
  }

  /** Tries the pending keys after a while; a sooner request replaces a later one. */
  #scheduleRetry(delayMs: number): void {
    this.#retry?.abort()
    const retry = new AbortController()
    this.#retry = retry
    const signal = AbortSignal.any([retry.signal, this.#stopping.signal])
    this.#modules.clock.wait(delayMs, signal).then(
      () => this.#retryPending(),
      () => undefined
    )
  }

  /** The keys that wait, with what is known of their holders where somebody waits for them. */
  #pendingKeys(): PlacedKey[] {
    const waited = new Map([...this.#waiters].flatMap(({ keys }) => [...keys]))
    return sortedKeys(this.#modules.pending.all()).map(key => waited.get(key.text) ?? key)
  }

  #retryPending(): void {
    const { pending } = this.#modules
    if (pending.size === 0) return
    // Whoever came while an attempt runs may have been missed by it.
    if (this.#isRetrying) {
      this.#scheduleRetry(RETRY.firstDelayMs)
      return
    }
    this.#isRetrying = true
    this.#attempts++
    void this.#run(this.#pendingKeys()).finally(() => {
      this.#isRetrying = false
    })
  }
}

/** Whether an answer of a peer says something about keys that somebody waits for. */
const concerns = ({ accepted, refused }: Placed, { keys }: Waiter): boolean =>
  accepted.some(({ text }) => keys.has(text)) || refused.some(({ text }) => keys.has(text))

/** Holders of the key that has fewest. */
const fewestHolders = (keys: readonly PlacedKey[]): number =>
  keys.reduce((least, { holders }) => Math.min(least, holders.size), Number.POSITIVE_INFINITY)

/** What counts the holders of keys as they come, and a promise of enough of them. */
function newWaiter(
  placed: readonly PlacedKey[],
  { wait = 0, onProgress }: AnnounceOptions
): { waiter: Waiter; reached: Promise<void> } {
  const { promise: reached, resolve } = Promise.withResolvers<void>()
  const onPlaced = ({ peer, accepted, refused }: Placed): void => {
    const holders = fewestHolders(placed)
    onProgress?.({
      holders,
      wanted: wait,
      peer: peer.id,
      accepted: accepted.length,
      refused: refused.length
    })
    if (holders >= wait) resolve()
  }
  return { waiter: { keys: new Map(placed.map(key => [key.text, key])), onPlaced }, reached }
}

/** Resolves as `promise` does, or rejects with the signal's reason. */
function untilAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
