/**
 * Whose turn is it? Pieces of work wait in four classes, and within a class in one queue for each peer.
 *
 * Between classes the order is strict, the most urgent first, but no class starves: of all bytes given out, a class that has
 * pieces which could go is owed a twentieth. What it is owed grows with every byte that another class gets and
 * shrinks by nineteen for every byte of its own, and who is owed something goes first. Who got more than its
 * reserve, because nobody urgent was there, is not made to pay for it later beyond a bound.
 *
 * Between the peers of a class it is deficit round robin: a ring of peers, of which each in its turn gains a quantum times
 * its weight and may spend it on the pieces at the head of its queue; what is left is kept for the next round. A peer
 * with a thousand pieces, or with small ones, thus gets no more bytes than a peer with one. Who has nothing queued when its
 * turn comes leaves the ring and keeps no credit; until then it may come back with its next piece, as a peer with a
 * single stream does after each.
 *
 * Which pieces could go (that is, whose rates allow it) is asked of the caller each time; peers that may not are passed
 * over and gain nothing. Nothing here knows time.
 */
import { assertInvariant, CatalogError } from '../../base/index.ts'
import {
  BUSY_RETRY_MS,
  MAX_RESERVE_DEBT_BYTES,
  MAX_SLICE_BYTES,
  MAX_WAITING,
  MAX_WAITING_PER_PEER,
  RESERVED_PART
} from './limits.ts'
import { PRIORITIES, type Priority } from './priority.ts'

/** A piece of work that waits for its turn. */
export interface Turn {
  readonly peerId: string
  readonly priority: Priority
  /** What it costs: 1 to MAX_SLICE_BYTES. */
  readonly bytes: number
}

export interface SchedulerOptions {
  /** Share of a peer beside others of its class, above 0; 1 for everybody unless given. */
  readonly weightOf?: (peerId: string) => number
  readonly maxWaiting?: number
  readonly maxWaitingPerPeer?: number
}

/** Smallest and largest weight that counts: a round then never needs more than 64 laps of its ring. */
const MIN_WEIGHT = 1 / 64
const MAX_WEIGHT = 64

interface PeerQueue<T> {
  /** Insertion order is the queue; a Set so that who gives up leaves at once. */
  readonly turns: Set<T>
  deficit: number
  /** Whether it has gained its quantum in the lap under way. */
  hasGained: boolean
}

interface ClassQueue<T> {
  /** Insertion order is the ring: who had its lap is put at the end. */
  readonly ring: Map<string, PeerQueue<T>>
  owedBytes: number
}

export class Scheduler<T extends Turn> {
  readonly #weightOf: (peerId: string) => number
  readonly #maxWaiting: number
  readonly #maxWaitingPerPeer: number
  readonly #classes: ReadonlyMap<Priority, ClassQueue<T>> = new Map(
    PRIORITIES.map(priority => [priority, { ring: new Map(), owedBytes: 0 }])
  )
  #waiting = 0

  constructor(options: SchedulerOptions = {}) {
    this.#weightOf = options.weightOf ?? (() => 1)
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING
    this.#maxWaitingPerPeer = options.maxWaitingPerPeer ?? MAX_WAITING_PER_PEER
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Heads of all queues: what could be next. */
  *heads(): Generator<T> {
    for (const { ring } of this.#classes.values()) yield* headsOf(ring)
  }

  /** Queues a piece. BUSY, with when to come again, when too many wait already. */
  add(turn: T): void {
    assertInvariant(
      turn.bytes > 0 && turn.bytes <= MAX_SLICE_BYTES,
      'a piece of work is no larger than a slice'
    )
    const ofPeer = this.#waitingOf(turn.peerId)
    if (this.#waiting >= this.#maxWaiting || ofPeer >= this.#maxWaitingPerPeer)
      throw new CatalogError('BUSY', 'too much waits for its turn already', {
        details: { retryAfterMs: BUSY_RETRY_MS }
      })
    const { ring } = this.#classes.get(turn.priority)!
    let queue = ring.get(turn.peerId)
    if (queue === undefined) {
      queue = { turns: new Set(), deficit: 0, hasGained: false }
      ring.set(turn.peerId, queue)
    }
    queue.turns.add(turn)
    this.#waiting++
  }

  /** Takes a piece out that nobody wants any more; false when it is not here. */
  remove(turn: T): boolean {
    const { ring } = this.#classes.get(turn.priority)!
    const queue = ring.get(turn.peerId)
    if (queue?.turns.delete(turn) !== true) return false
    this.#waiting--
    if (queue.turns.size === 0) ring.delete(turn.peerId)
    return true
  }

  /** The piece whose turn it is among those that may go, taken out; undefined when none may. */
  next(mayGo: (turn: T) => boolean): T | undefined {
    const ready = PRIORITIES.filter(priority => [...headsOf(this.#classes.get(priority)!.ring)].some(mayGo))
    const first = ready[0]
    if (first === undefined) return undefined
    const owed = ready.find(priority => priority !== first && this.#classes.get(priority)!.owedBytes > 0)
    const priority = owed ?? first
    const turn = this.#nextOf(this.#classes.get(priority)!.ring, mayGo)
    this.#account(priority, turn.bytes, ready)
    return turn
  }

  /** Deficit round robin; some head of the ring may go. */
  #nextOf(ring: Map<string, PeerQueue<T>>, mayGo: (turn: T) => boolean): T {
    for (;;) {
      const [peerId, queue] = ring.entries().next().value!
      const [head] = queue.turns
      if (head === undefined) {
        ring.delete(peerId)
        continue
      }
      if (mayGo(head)) {
        if (!queue.hasGained) {
          queue.hasGained = true
          queue.deficit += Math.ceil(MAX_SLICE_BYTES * this.#weight(peerId))
        }
        if (queue.deficit >= head.bytes) {
          queue.deficit -= head.bytes
          queue.turns.delete(head)
          this.#waiting--
          return head
        }
      }
      // Its lap is over: to the end of the ring.
      queue.hasGained = false
      ring.delete(peerId)
      ring.set(peerId, queue)
    }
  }

  #weight(peerId: string): number {
    return Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, this.#weightOf(peerId)))
  }

  /** A class got bytes: what it and the others are owed now. Who could not use its reserve now is not owed more. */
  #account(served: Priority, bytes: number, ready: readonly Priority[]): void {
    for (const [priority, queue] of this.#classes) {
      if (priority === served)
        queue.owedBytes = Math.max(-MAX_RESERVE_DEBT_BYTES, queue.owedBytes - (RESERVED_PART - 1) * bytes)
      else if (ready.includes(priority)) queue.owedBytes += bytes
      else queue.owedBytes = Math.min(0, queue.owedBytes + bytes)
    }
  }

  #waitingOf(peerId: string): number {
    let waiting = 0
    for (const { ring } of this.#classes.values()) waiting += ring.get(peerId)?.turns.size ?? 0
    return waiting
  }
}

function* headsOf<T>(ring: ReadonlyMap<string, PeerQueue<T>>): Generator<T> {
  for (const { turns } of ring.values()) {
    const [head] = turns
    if (head !== undefined) yield head
  }
}
