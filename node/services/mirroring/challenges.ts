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
/** Proofs that wait, in all and of one peer, which could claim everything; what finds no place is asked for when it is next looked at. */
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
  readonly #waiting = new Map<string, Waiting>()
  /** How many wait, by peer. */
  readonly #waitingFor = new Map<string, number>()
  /** What each peer is asked for: one after the other, so that none takes the places of all. */
  readonly #active = new Map<string, string>()
  readonly #changed = new Signpost()

  constructor(modules: ChallengesModules, options: ChallengesOptions) {
    this.#modules = modules
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size + this.#active.size
  }

  /** Once for each peer and content, now, or, where it waits for who did not answer, when that was due. False where too many wait. */
  add(challenge: Challenge): boolean {
    const key = keyOf(challenge)
    if (this.has(challenge)) return true
    const waiting = this.#waitingFor.get(challenge.peer) ?? 0
    if (this.#waiting.size >= MAX_WAITING || waiting >= MAX_WAITING_FOR_PEER) return false
    this.#put(key, { ...challenge, atMs: 0, failures: 0 })
    this.#changed.show()
    return true
  }

  /** Whether it waits, or is under way. */
  has(challenge: Challenge): boolean {
    const key = keyOf(challenge)
    return this.#waiting.has(key) || this.#active.get(challenge.peer) === key
  }

  /** A peer is there again: what it did not answer is asked for now. */
  hurry(peer: string): void {
    if (!this.#waitingFor.has(peer)) return
    for (const [key, waiting] of this.#waiting)
      if (waiting.peer === peer) this.#waiting.set(key, { ...waiting, atMs: 0 })
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
      for (const [key, waiting] of this.#waiting) {
        if (this.#active.size >= MAX_ACTIVE) break
        if (this.#active.has(waiting.peer)) continue
        if (waiting.atMs > nowMs) nextMs = Math.min(nextMs, waiting.atMs)
        else this.#begin(key, waiting, signal)
      }
      await changedWithin(changed, nextMs - nowMs, { clock, signal })
    }
  }

  #begin(key: string, waiting: Waiting, signal: AbortSignal): void {
    this.#waiting.delete(key)
    this.#count(waiting.peer, -1)
    this.#active.set(waiting.peer, key)
    void this.#ask(waiting, signal).finally(() => {
      this.#active.delete(waiting.peer)
      this.#changed.show()
    })
  }

  #put(key: string, waiting: Waiting): void {
    this.#waiting.set(key, waiting)
    this.#count(waiting.peer, 1)
  }

  #count(peer: string, by: number): void {
    const count = (this.#waitingFor.get(peer) ?? 0) + by
    if (count === 0) this.#waitingFor.delete(peer)
    else this.#waitingFor.set(peer, count)
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
      this.#put(keyOf(waiting), again)
    } catch (err) {
      if (!signal.aborted)
        logger.error({ err, peer, content: content.toString() }, 'a proof could not be asked for')
    }
  }
}

const keyOf = ({ peer, content }: Challenge): string => `${peer} ${content}`
