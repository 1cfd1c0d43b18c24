import { setImmediate as nextTurn } from 'node:timers/promises'
import { backoffDelayMs, type Clock, type Logger, MINUTE_MS, type RetryPolicy } from '../../base/index.ts'
import { compareDistance } from '../distance.ts'
import { kademliaId } from '../keys.ts'
import type { Announcer } from './announcer.ts'
import type { Delivery } from './delivery.ts'
import { type Placed, type PlacedKey, sortedKeys } from './placement.ts'
import type { SweepProgress } from './progress.ts'
import { dueAt, LATE_WARNING_MS, passFor, SLOTS, SWEEP_INTERVAL_MS, shiftOf, slotOf } from './schedule.ts'

/** All keys that this node wants announced, again at each call, in any order: names it publishes, pins, libraries. */
export type KeySource = (signal: AbortSignal) => AsyncIterable<Uint8Array>

/** Keys of one slot: what is held in memory at once (about 200 bytes each). With 64 slots this is 6.4 million keys in all. */
const MAX_KEYS_PER_SLOT = 100_000
/** Keys read from the source before other work gets a turn: about a millisecond. */
const KEYS_PER_TURN = 500
/** When a slot that could not be announced to anybody is tried again; without end, so `attempts` is not used. */
const RETRY: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: MINUTE_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.2
}

export interface SweeperModules {
  readonly announcer: Pick<Announcer, 'retryLater'>
  readonly delivery: Pick<Delivery, 'claim' | 'sweep'>
  readonly progress: SweepProgress
  readonly source: KeySource
  /** Whether there is anybody to announce to. */
  readonly hasPeers: () => boolean
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
}

export interface SweepStats {
  /** Slots finished since the start. */
  readonly slotsDone: number
  /** Keys announced since the start, and claims that peers acknowledged. */
  readonly keys: number
  readonly accepted: number
  /** How late the latest slot is; 0 = on time. */
  readonly lateMs: number
  readonly nextDueAt: number
}

/** Announces all keys of this node again and again, slot by slot, in time before their claims lapse. */
export class Sweeper {
  readonly #modules: SweeperModules
  readonly #shift: number
  readonly #intervalMs: number
  readonly #stopping = new AbortController()
  #dueAt: number[] = []
  #startedAt = 0
  #slotsDone = 0
  #keys = 0
  #accepted = 0
  #warnedAt = Number.NEGATIVE_INFINITY
  #peerCame = Promise.withResolvers<void>()
  #running: Promise<void> = Promise.resolve()

  constructor(modules: SweeperModules, selfKademliaId: Uint8Array, intervalMs = SWEEP_INTERVAL_MS) {
    this.#modules = modules
    this.#shift = shiftOf(selfKademliaId)
    this.#intervalMs = intervalMs
  }

  async start(): Promise<void> {
    this.#startedAt = this.#modules.clock.now()
    this.#modules.progress.begin(this.#startedAt)
    if (await this.#hasKeys()) await this.#modules.progress.keep()
    this.#dueAt = Array.from({ length: SLOTS }, (_, slot) => this.#nextDue(slot))
    this.#running = this.#run()
  }

  /** Keys have come that are to be announced from now on. */
  async keysCame(): Promise<void> {
    await this.#modules.progress.keep()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#peerCame.resolve()
    await this.#running
  }

  /** A peer has come: what waits for one goes on. */
  peerCame(): void {
    this.#peerCame.resolve()
  }

  stats(): SweepStats {
    // Before the start nothing is due.
    const nextDueAt = this.#dueAt.length === 0 ? this.#modules.clock.now() : Math.min(...this.#dueAt)
    return {
      slotsDone: this.#slotsDone,
      keys: this.#keys,
      accepted: this.#accepted,
      lateMs: Math.max(0, this.#modules.clock.now() - Math.max(nextDueAt, this.#startedAt)),
      nextDueAt
    }
  }

  async #hasKeys(): Promise<boolean> {
    for await (const _ of this.#modules.source(this.#stopping.signal)) return true
    return false
  }

  #nextDue(slot: number): number {
    const { progress, random } = this.#modules
    return dueAt(slot, progress.of(slot), {
      shift: this.#shift,
      jitter: random(),
      intervalMs: this.#intervalMs
    })
  }

  async #run(): Promise<void> {
    const { clock, log, hasPeers, random } = this.#modules
    const { signal } = this.#stopping
    let failures = 0
    while (!signal.aborted) {
      try {
        const slot = this.#mostUrgent()
        await this.#until(this.#dueAt[slot]!)
        if (!signal.aborted && !hasPeers()) await this.#untilPeer()
        if (signal.aborted) return
        this.#warnWhenLate()
        if (await this.#sweepSlot(slot)) {
          failures = 0
          continue
        }
      } catch (error) {
        if (signal.aborted) return
        log.error({ err: error }, 'a part of the keys could not be announced; it is tried again')
      }
      failures++
      await clock.wait(backoffDelayMs(RETRY, failures, random()), signal).catch(() => undefined)
    }
  }

  #mostUrgent(): number {
    return this.#dueAt.reduce((first, due, slot) => (due < this.#dueAt[first]! ? slot : first), 0)
  }

  async #until(time: number): Promise<void> {
    const leftMs = time - this.#modules.clock.now()
    // The rejection of an aborted wait says nothing that `signal.aborted` does not.
    if (leftMs > 0) await this.#modules.clock.wait(leftMs, this.#stopping.signal).catch(() => undefined)
  }

  async #untilPeer(): Promise<void> {
    this.#peerCame = Promise.withResolvers()
    await this.#peerCame.promise
  }

  /** One pass through a slot; false when it did not come to its end. */
  async #sweepSlot(slot: number): Promise<boolean> {
    const { announcer, delivery, progress, clock, log } = this.#modules
    const { signal } = this.#stopping
    const before = progress.of(slot)
    const { startedAt, after } = passFor(before, clock.now())
    const keys = await this.#keysOf(slot, after)
    if (keys.length > 0) await progress.keep()
    await delivery.claim(keys)
    let announced = 0
    let accepted = 0
    const count = (placed: Placed): void => {
      accepted += placed.accepted.length
    }
    const onRegion = async (region: readonly PlacedKey[]): Promise<boolean> => {
      const missed = region.filter(({ holders }) => holders.size === 0)
      // Nobody took anything: the network is gone, not these keys. The pass stays where it is.
      if (missed.length === region.length) return false
      await announcer.retryLater(missed)
      announced += region.length
      await progress.set(slot, {
        doneAt: before.doneAt,
        pass: { startedAt, cursor: region.at(-1)!.kademliaId }
      })
      return true
    }
    await delivery.sweep(keys, count, onRegion, signal)
    this.#keys += announced
    this.#accepted += accepted
    if (announced < keys.length) return false
    await progress.set(slot, { doneAt: clock.now(), pass: undefined })
    this.#dueAt[slot] = this.#nextDue(slot)
    this.#slotsDone++
    if (keys.length > 0)
      log.debug({ slot, keys: keys.length, accepted }, 'announced a part of the keys again')
    return true
  }

  /** The keys of a slot after `after`, in the order of the key space. */
  async #keysOf(slot: number, after: Uint8Array | undefined): Promise<PlacedKey[]> {
    const { source, log } = this.#modules
    const { signal } = this.#stopping
    const origin = new Uint8Array(32)
    const keys: Uint8Array[] = []
    let read = 0
    for await (const key of source(signal)) {
      if (++read % KEYS_PER_TURN === 0) await nextTurn()
      if (signal.aborted) break
      const place = kademliaId(key)
      if (slotOf(place) !== slot) continue
      if (after !== undefined && compareDistance(origin, place, after) <= 0) continue
      if (keys.length < MAX_KEYS_PER_SLOT) keys.push(key)
      else {
        log.warn(
          { slot, limit: MAX_KEYS_PER_SLOT },
          'more keys than can be announced; the others are left out'
        )
        break
      }
    }
    return sortedKeys(keys)
  }

  /** Says once an hour that slots are announced later than they should be. */
  #warnWhenLate(): void {
    const { clock, log } = this.#modules
    const { lateMs } = this.stats()
    if (lateMs < LATE_WARNING_MS || clock.now() - this.#warnedAt < LATE_WARNING_MS) return
    this.#warnedAt = clock.now()
    const late = this.#dueAt.filter(due => due < clock.now()).length
    log.warn(
      { lateMs, lateSlots: late, slots: SLOTS },
      'announcing falls behind: some keys may not be found until it has caught up'
    )
  }
}
