/** Proofs that are asked for, a few at once; who does not answer is asked again, later and later. */
import type { CID } from 'multiformats/cid'
import {
  backoffDelayMs,
  type Clock,
  changedWithin,
  HOUR_MS,
  type Logger,
  type RetryPolicy,
  SECOND_MS,
  Signpost
} from '../../../base/index.ts'
import type { Possession } from './types.ts'

/** At once: each makes a holder read some chunks. */
const MAX_ACTIVE = 8
/**
 * Proofs that wait, in all and of one peer, which could claim everything; and where that are too many, one makes room of who has most.
 * What finds no place is asked for when it is next looked at.
 */
const MAX_WAITING = 20_000
const MAX_WAITING_FOR_PEER = 2000
/** While a peer does not answer. */
const UNTIL_ANSWERED: RetryPolicy = {
  attempts: 8,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: HOUR_MS,
  factor: 3,
  jitter: 0.5
}

export interface Challenge {
  readonly peer: string
  readonly content: CID
}

export interface ChallengesModules {
  possession: Possession
  clock: Clock
  logger: Logger
  random: () => number
}

export interface ChallengesOptions {
  onOutcome(challenge: Challenge, outcome: 'proven' | 'refuted'): void
}

interface Waiting extends Challenge {
  readonly atMs: number
  readonly failures: number
}

export class Challenges {
  readonly #modules: ChallengesModules
  readonly #options: ChallengesOptions
  /** By peer and content; who was asked last comes last. */
  readonly #waiting = new Map<string, Map<string, Waiting>>()
  #size = 0
  /** What each peer is asked for: one after the other, so that none takes the places of all. */
  readonly #active = new Map<string, string>()
  readonly #changed = new Signpost()

  constructor(modules: ChallengesModules, options: ChallengesOptions) {
    this.#modules = modules
    this.#options = options
  }

  get waiting(): number {
    return this.#size + this.#active.size
  }

  /** Once for each peer and content, now, or, where it waits for who did not answer, when that was due. False where too many wait. */
  add(challenge: Challenge): boolean {
    if (this.has(challenge)) return true
    const ofPeer = this.#waiting.get(challenge.peer)?.size ?? 0
    if (ofPeer >= MAX_WAITING_FOR_PEER) return false
    if (this.#size >= MAX_WAITING && !this.#makeRoom(ofPeer)) return false
    this.#put({ ...challenge, atMs: 0, failures: 0 })
    this.#changed.show()
    return true
  }

  /** Whether it waits, or is under way. */
  has(challenge: Challenge): boolean {
    const key = challenge.content.toString()
    return this.#waiting.get(challenge.peer)?.has(key) === true || this.#active.get(challenge.peer) === key
  }

  /** A peer is there again: what it did not answer is asked for now. */
  hurry(peer: string): void {
    const ofPeer = this.#waiting.get(peer)
    if (ofPeer === undefined) return
    for (const [key, waiting] of ofPeer) ofPeer.set(key, { ...waiting, atMs: 0 })
    this.#changed.show()
  }

  /** Asks for what waits, until the signal ends it; then rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock } = this.#modules
    for (;;) {
      signal.throwIfAborted()
      const changed = this.#changed.shown()
      const nowMs = clock.monotonicMs()
      let nextMs = Number.POSITIVE_INFINITY
      // Who is asked now comes last, and again in this round, when it is passed over.
      for (const [peer, ofPeer] of this.#waiting) {
        if (this.#active.size >= MAX_ACTIVE) break
        if (this.#active.has(peer)) continue
        const first = firstDue(ofPeer.values())
        if (first.atMs > nowMs) nextMs = Math.min(nextMs, first.atMs)
        else this.#begin(first, signal)
      }
      await changedWithin(changed, nextMs - nowMs, { clock, signal })
    }
  }

  #begin(waiting: Waiting, signal: AbortSignal): void {
    const { peer, content } = waiting
    this.#remove(waiting)
    const left = this.#waiting.get(peer)
    // Others first, the next time.
    if (left !== undefined && this.#waiting.delete(peer)) this.#waiting.set(peer, left)
    this.#active.set(peer, content.toString())
    void this.#ask(waiting, signal).finally(() => {
      this.#active.delete(peer)
      this.#changed.show()
    })
  }

  #put(waiting: Waiting): void {
    const ofPeer = this.#waiting.get(waiting.peer) ?? new Map<string, Waiting>()
    this.#waiting.set(waiting.peer, ofPeer.set(waiting.content.toString(), waiting))
    this.#size++
  }

  #remove({ peer, content }: Challenge): void {
    const ofPeer = this.#waiting.get(peer)!
    ofPeer.delete(content.toString())
    if (ofPeer.size === 0) this.#waiting.delete(peer)
    this.#size--
  }

  /** One goes of the peer for which most wait, if they are more than so many; false where there is none. */
  #makeRoom(ofPeer: number): boolean {
    let most = new Map<string, Waiting>()
    for (const other of this.#waiting.values()) if (other.size > most.size) most = other
    const [waiting] = most.values()
    if (waiting === undefined || most.size <= ofPeer + 1) return false
    this.#remove(waiting)
    return true
  }

  /** Never rejects: an abort ends it. */
  async #ask(waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { possession, clock, logger, random } = this.#modules
    const { peer, content, failures } = waiting
    try {
      const outcome = await possession.challenge(peer, content, signal)
      if (outcome !== 'unanswered') return this.#options.onOutcome(waiting, outcome)
      if (failures + 1 >= UNTIL_ANSWERED.attempts) return
      const delayMs = backoffDelayMs(UNTIL_ANSWERED, failures + 1, random())
      const again = { ...waiting, failures: failures + 1, atMs: clock.monotonicMs() + delayMs }
      this.#put(again)
    } catch (err) {
      if (!signal.aborted)
        logger.error({ err, peer, content: content.toString() }, 'a proof could not be asked for')
    }
  }
}

/** Of one peer's, at least one. */
function firstDue(waiting: Iterable<Waiting>): Waiting {
  let first: Waiting | undefined
  for (const one of waiting) {
    // Most are due at once.
    if (one.atMs === 0) return one
    if (first === undefined || one.atMs < first.atMs) first = one
  }
  return first!
}
