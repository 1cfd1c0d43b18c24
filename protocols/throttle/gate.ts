/**
 * One direction of the traffic: whoever wants to move bytes asks here first and goes on when it is given its turn. A turn
 * needs tokens in up to three buckets (that of all peers, of the class, of the peer), which are taken together or not
 * at all. While the bucket of all is short everybody waits and the next is chosen when it has enough, so that somebody
 * more urgent who comes in the meantime is first; who is short in another bucket is passed over.
 *
 * Peers without limits (those on private addresses, unless they were given one) pass at once.
 */
import { assertInvariant, type Clock, LruCache } from '../../base/index.ts'
import {
  MAX_BURST_BYTES,
  MAX_KNOWN_PEERS,
  MAX_SLICE_BYTES,
  MIN_BURST_MS,
  MIN_RATE_BYTES,
  MIN_SLICE_BYTES
} from './limits.ts'
import type { Priority } from './priority.ts'
import { Scheduler, type Turn } from './scheduler.ts'
import { TokenBucket } from './token-bucket.ts'

/** A rate in bytes a second, 0 is no limit, and what may go at once. */
export interface Limit {
  readonly rate: number
  readonly burst: number
}

/** The limits in force for one direction. */
export interface GateLimits {
  total(): Limit
  class(priority: Priority): Limit
  peer(peerId: string): Limit
  /** Whether this peer is under the total and the class limits too. */
  isLimited(peerId: string): boolean
}

export interface GateModules {
  readonly clock: Clock
  readonly limits: GateLimits
  readonly weightOf?: (peerId: string) => number
  readonly onTaken: (priority: Priority, bytes: number, waitedMs: number) => void
  readonly onBusy: () => void
}

interface WaitingTurn extends Turn {
  grant(): void
}

const US_PER_MS = 1000

export class Gate {
  readonly #modules: GateModules
  readonly #scheduler: Scheduler<WaitingTurn>
  readonly #buckets = new LruCache<string, TokenBucket>({ maxEntries: MAX_KNOWN_PEERS })
  #timer: { atUs: number; abort: AbortController } | undefined

  constructor(modules: GateModules) {
    this.#modules = modules
    this.#scheduler = new Scheduler(modules.weightOf === undefined ? {} : { weightOf: modules.weightOf })
  }

  /** Pieces that wait for their turn. */
  get waiting(): number {
    return this.#scheduler.waiting
  }

  /** Largest piece to ask for; undefined for a peer that is not limited and moves as much at once as it likes. */
  sliceBytes(peerId: string, priority: Priority): number | undefined {
    const held = this.#limitsOf(peerId, priority)
    if (held.length === 0) return undefined
    return Math.min(...held.map(([, limit]) => sliceOf(bucketOf(limit))))
  }

  /** How many transfers at once each get at least MIN_RATE_BYTES: of this peer, and of all. */
  places(peerId: string): { ofPeer: number; total: number } {
    const { limits } = this.#modules
    const total = limits.isLimited(peerId) ? limits.total().rate : 0
    return { ofPeer: placesAt(limits.peer(peerId).rate), total: placesAt(total) }
  }

  /**
   * Resolves when these bytes may move. More than a slice is taken in slices, one after the other. BUSY when too many
   * wait; the signal's reason when it aborts, and then nothing more is taken.
   */
  async take(peerId: string, priority: Priority, bytes: number, signal?: AbortSignal): Promise<void> {
    const { clock, onTaken } = this.#modules
    const startMs = clock.monotonicMs()
    for (let rest = bytes; rest > 0; ) {
      signal?.throwIfAborted()
      const slice = Math.min(rest, this.sliceBytes(peerId, priority) ?? rest)
      if (this.#limitsOf(peerId, priority).length > 0) await this.#turn(peerId, priority, slice, signal)
      rest -= slice
    }
    onTaken(priority, bytes, clock.monotonicMs() - startMs)
  }

  /** Limits have changed: what waits is looked at anew. */
  refresh(): void {
    this.#pump()
  }

  #turn(peerId: string, priority: Priority, bytes: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        if (this.#scheduler.remove(turn)) reject(signal?.reason)
      }
      const turn: WaitingTurn = {
        peerId,
        priority,
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      try {
        this.#scheduler.add(turn)
      } catch (error) {
        this.#modules.onBusy()
        throw error
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pump()
    })
  }

  /** Gives turns while somebody may go, then sets the timer for when the next one may. */
  #pump(): void {
    const nowUs = this.#nowUs()
    while (this.#scheduler.waiting > 0) {
      const turn = this.#scheduler.next(head => this.#waitUs(head, nowUs) === 0)
      if (turn === undefined) break
      for (const [, bucket] of this.#bucketsOf(turn, nowUs))
        assertInvariant(bucket.tryTake(turn.bytes, nowUs), 'a turn is given when its tokens are there')
      turn.grant()
    }
    this.#setTimer(nowUs)
  }

  #setTimer(nowUs: number): void {
    let waitUs = Number.POSITIVE_INFINITY
    for (const head of this.#scheduler.heads()) waitUs = Math.min(waitUs, this.#waitUs(head, nowUs))
    if (waitUs === Number.POSITIVE_INFINITY) return
    const atUs = nowUs + waitUs
    if (this.#timer !== undefined && this.#timer.atUs <= atUs) return
    this.#timer?.abort.abort()
    const timer = { atUs, abort: new AbortController() }
    this.#timer = timer
    this.#modules.clock.wait(Math.ceil(waitUs / US_PER_MS), timer.abort.signal).then(
      () => {
        this.#timer = undefined
        this.#pump()
      },
      () => {
        // Another timer, for an earlier moment, has taken its place.
      }
    )
  }

  /**
   * Until all buckets of a piece have enough for it. One that is shared must have enough for any piece: else small
   * pieces would take what a large one waits for.
   */
  #waitUs(turn: WaitingTurn, nowUs: number): number {
    let waitUs = 0
    for (const [isShared, bucket] of this.#bucketsOf(turn, nowUs))
      waitUs = Math.max(
        waitUs,
        bucket.waitUs(isShared ? Math.max(turn.bytes, sliceOf(bucket)) : turn.bytes, nowUs)
      )
    return waitUs
  }

  #bucketsOf({ peerId, priority }: Turn, nowUs: number): Array<[isShared: boolean, bucket: TokenBucket]> {
    return this.#limitsOf(peerId, priority).map(([key, limit]) => [
      key !== peerKey(peerId),
      this.#bucket(key, limit, nowUs)
    ])
  }

  /** The limits that a piece is under, each with the key of its bucket. */
  #limitsOf(peerId: string, priority: Priority): Array<[key: string, limit: Limit]> {
    const { limits } = this.#modules
    const all: Array<[string, Limit]> = [[peerKey(peerId), limits.peer(peerId)]]
    if (limits.isLimited(peerId))
      all.push(['total', limits.total()], [`class ${priority}`, limits.class(priority)])
    return all.filter(([, { rate }]) => rate > 0)
  }

  #bucket(key: string, limit: Limit, nowUs: number): TokenBucket {
    const wanted = bucketOf(limit)
    const known = this.#buckets.get(key)
    if (known === undefined) {
      const made = new TokenBucket(wanted, nowUs)
      this.#buckets.set(key, made)
      return made
    }
    if (known.rate !== wanted.rate || known.burst !== wanted.burst) known.set(wanted, nowUs)
    return known
  }

  #nowUs(): number {
    return Math.floor(this.#modules.clock.monotonicMs() * US_PER_MS)
  }
}

const peerKey = (peerId: string): string => `peer ${peerId}`

/** The bucket of a limit holds at least MIN_BURST_MS of its rate, and four slices of the smallest size. */
export function bucketOf({ rate, burst }: Limit): Limit {
  const least = Math.max(4 * MIN_SLICE_BYTES, Math.ceil((rate * MIN_BURST_MS) / 1000))
  return { rate, burst: Math.min(MAX_BURST_BYTES, Math.max(burst, least)) }
}

/** The largest piece that is taken out of a bucket at once: a quarter of it, so that it can fill while one waits. */
function sliceOf({ burst }: { readonly burst: number }): number {
  return Math.max(MIN_SLICE_BYTES, Math.min(MAX_SLICE_BYTES, Math.floor(burst / 4)))
}

const placesAt = (rate: number): number =>
  rate === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(rate / MIN_RATE_BYTES))
