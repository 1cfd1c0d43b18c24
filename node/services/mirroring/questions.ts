/**
 * Questions to members, what they hold: about some contents at once, and about everything that matters here, piece by piece and as fast as
 * each answers. Whoever does not answer is asked again.
 */

import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  type Logger,
  SECOND_MS,
  Semaphore,
  showQueue,
  timeoutSignal,
  toCatalogError
} from '../../../base/index.ts'
import type { HoldingsExchange } from '../../../protocols/index.ts'

/** Members that are asked at once, and questions that wait. */
const MAX_ASKING = 8
const MAX_WAITING = 20_000
/** One answer. */
export const ASK_MS = 10 * SECOND_MS
/** Contents of one question to a member that is asked about everything, so that it and others have their turn in between. */
const ASKED_AT_ONCE = 1024
/** Of one question that a member has no time for, and what is waited at most before each. */
const MAX_TRIES = 5
const MOST_BUSY_MS = 30 * SECOND_MS

export interface MemberQuestionsModules {
  exchange: Pick<HoldingsExchange, 'ask'>
  /** All contents that matter here. */
  concerns(): CID[]
  /** What a member says that it holds, of what it was asked about. */
  onAnswer(peer: string, asked: readonly CID[], held: readonly CID[]): void
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry | undefined
}

export class MemberQuestions {
  readonly #modules: MemberQuestionsModules
  readonly #turns = new Semaphore({
    name: 'questions for holdings',
    maxActive: MAX_ASKING,
    maxWaiting: MAX_WAITING
  })
  /** When each member was asked about everything, monotonic; absent where it has not answered all of it. */
  readonly #askedMs = new Map<string, number>()
  /** Members that are being asked about everything. */
  readonly #askedNow = new Set<string>()

  constructor(modules: MemberQuestionsModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#turns)
  }

  /** A member is none any more, and what it is asked now is the last. */
  forget(peer: string): void {
    this.#askedMs.delete(peer)
    this.#askedNow.delete(peer)
  }

  /** What was told while nobody listened is known to nobody: all are to be asked again. */
  forgetAll(): void {
    this.#askedMs.clear()
  }

  /** Whether a member has answered everything since a moment, monotonic. */
  hasAnsweredSince(peer: string, sinceMs: number): boolean {
    return (this.#askedMs.get(peer) ?? Number.NEGATIVE_INFINITY) > sinceMs
  }

  /** What a member holds of all that matters; once at a time. Never rejects. */
  async everything(peer: string, signal: AbortSignal): Promise<void> {
    if (this.#askedNow.has(peer)) return
    this.#askedNow.add(peer)
    const beganMs = this.#modules.clock.monotonicMs()
    const contents = this.#modules.concerns()
    let isAnswered = true
    for (let from = 0; from < contents.length && isAnswered; from += ASKED_AT_ONCE)
      isAnswered =
        (await this.#patiently(peer, contents.slice(from, from + ASKED_AT_ONCE), signal)) &&
        this.#askedNow.has(peer)
    if (this.#askedNow.delete(peer) && isAnswered) this.#askedMs.set(peer, beganMs)
  }

  /** 0: it has answered; else after how many ms it would, undefined where it did not say. Never rejects. */
  async ask(peer: string, contents: readonly CID[], signal: AbortSignal): Promise<number | undefined> {
    const { exchange, logger, onAnswer } = this.#modules
    try {
      const held = await this.#turns.run(() => {
        // From its turn on: members that say nothing would take the time of those who wait behind them.
        const limit = AbortSignal.any([signal, timeoutSignal(ASK_MS)])
        return exchange.ask(peerIdFromString(peer), contents, limit)
      }, signal)
      onAnswer(peer, contents, held)
      return 0
    } catch (thrown) {
      this.#askedMs.delete(peer)
      if (signal.aborted) return undefined
      const { code, details } = toCatalogError(thrown)
      logger.debug({ peer, code }, 'a member did not say what it holds')
      return typeof details?.retryAfterMs === 'number' ? details.retryAfterMs : undefined
    }
  }

  /** Again while the member says that it is busy; whether it answered. Never rejects. */
  async #patiently(peer: string, contents: readonly CID[], signal: AbortSignal): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const busyMs = await this.ask(peer, contents, signal)
      if (busyMs === 0) return true
      if (busyMs === undefined) return false
      await this.#modules.clock.wait(Math.min(MOST_BUSY_MS, busyMs), signal).catch(() => undefined)
    }
    return false
  }
}
