/**
 * Peers that keep failing, and a rest from them: a circuit breaker for each peer that was asked for records or content.
 * Who failed FAILURES times in a row is not asked for COOL_DOWN_MS, so that a look-up or a fetch spends its time on those who
 * answer; then one request is let through, and decides. A new connection lets it through at once: the peer has come
 * back. Who said goodbye is not asked at all until then. Only what says something about the peer counts; that it does not hold something, or is busy, does not.
 */
import {
  CatalogError,
  CircuitBreaker,
  type Clock,
  displayDuration,
  type ErrorCode,
  LruCache,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import { bannedError } from '../host/index.ts'

/** More than one fetch makes at a source by itself (three rounds), so that no fetch shuts its own source out. */
const FAILURES = 5
/** As long as a peer needs to be restarted, and short enough that a person waits for it. */
const COOL_DOWN_MS = 30 * SECOND_MS
/** Peers that are remembered, about 300 bytes each. */
const MAX_PEERS = 2000
/** A request that ran out of time sooner than this was cut short by something else than the peer's silence. */
const MIN_PATIENCE_MS = SECOND_MS

/** What a peer that works and tells the truth does not do. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'DIAL_FAILED',
  'TIMEOUT',
  'PEER_FAILED',
  'STREAM_TRUNCATED',
  'PROTOCOL_VIOLATION',
  'BYTES_WRONG',
  'RECORD_INVALID',
  'RECORD_TOO_LARGE',
  'SIGNATURE_INVALID'
])

/** A peer that is left alone, for `why` and `status`. */
export interface SkippedPeer {
  peerId: string
  /** Its last failure, `CODE: message`. */
  reason: string
  /** For so much longer. */
  forMs: number
}

interface Entry {
  readonly peerId: string
  readonly breaker: CircuitBreaker
  lastError: string
}

export interface PeerHealthModules {
  clock: Clock
  /** Told of each request that says something about a peer: that it went well, or failed. */
  onOutcome?(peerId: string, isFailure: boolean): void
  /** Whether a peer was lost in a partition; nobody unless given. */
  isParted?(peerId: string): boolean
  /** Whether the operator has banned a peer; nobody unless given. */
  isBanned?(peerId: string): boolean
}

export class PeerHealth {
  readonly #modules: PeerHealthModules
  readonly #clock: Clock
  readonly #peers = new LruCache<string, Entry>({ maxEntries: MAX_PEERS })
  /** Peers that said goodbye. */
  readonly #left = new LruCache<string, true>({ maxEntries: MAX_PEERS })
  /** Time-outs that say nothing about the peer. */
  readonly #cutShort = new WeakSet<object>()

  constructor(modules: PeerHealthModules) {
    this.#modules = modules
    this.#clock = modules.clock
  }

  /** Asks a peer unless it is left alone; then CIRCUIT_OPEN, with why and for how long, PEER_LEFT or PEER_BANNED. */
  ask<T>(peerId: string, work: () => Promise<T>): Promise<T> {
    return this.#ask(peerId, work, false)
  }

  async #ask<T>(peerId: string, work: () => Promise<T>, isNoted: boolean): Promise<T> {
    const { onOutcome } = this.#modules
    const entry = this.#entry(peerId)
    const refusal = this.refusal(peerId)
    if (refusal !== undefined) throw refusal
    const startedMs = this.#clock.monotonicMs()
    return await entry.breaker.run(async () => {
      try {
        const answer = await work()
        onOutcome?.(peerId, false)
        return answer
      } catch (thrown) {
        const isSoon = this.#clock.monotonicMs() - startedMs < MIN_PATIENCE_MS
        const error = toCatalogError(thrown)
        if (isSoon && error.code === 'TIMEOUT' && !isNoted) this.#cutShort.add(thrown as object)
        else if (FAULTS.has(error.code)) {
          entry.lastError = describe(error)
          onOutcome?.(peerId, true)
        }
        throw thrown
      }
    })
  }

  /** How a request ended that was not made through `ask`: an error, or undefined for a good answer. */
  async note(peerId: string, error: CatalogError | undefined): Promise<void> {
    const given = async (): Promise<void> => {
      if (error !== undefined) throw error
    }
    // What it throws is what was given to it, or that the peer is left alone already.
    await this.#ask(peerId, given, true).catch(() => undefined)
  }

  /** The peer said goodbye. */
  left(peerId: string): void {
    this.#left.set(peerId, true)
  }

  /** The peer is there, again or for the first time. */
  met(peerId: string): void {
    this.#left.delete(peerId)
    this.#peers.get(peerId)?.breaker.allowTrial()
  }

  /** Why a peer is not asked now; undefined when it may be. */
  refusal(peerId: string): CatalogError | undefined {
    if (this.#modules.isBanned?.(peerId) === true) return bannedError(peerId)
    if (this.#left.get(peerId) === true)
      return new CatalogError('PEER_LEFT', `${peerId} said goodbye and has not come back`, {
        details: { peerId }
      })
    if (this.#modules.isParted?.(peerId) === true)
      return new CatalogError('PARTITIONED', `${peerId} was lost in a partition of the network`, {
        details: { peerId }
      })
    const entry = this.#peers.get(peerId)
    const forMs = Math.ceil(entry?.breaker.openForMs ?? 0)
    if (entry === undefined || forMs === 0) return undefined
    return new CatalogError(
      'CIRCUIT_OPEN',
      `${peerId} failed ${FAILURES} times in a row, last with ${entry.lastError}; it is left alone for ${displayDuration(forMs)}`,
      { hint: 'wait, or ask it all the same with --from', details: { peerId, retryAfterMs: forMs } }
    )
  }

  /** Peers that are left alone now. */
  skipped(): SkippedPeer[] {
    return [...this.#peers.values()]
      .map(({ peerId, breaker, lastError }) => ({
        peerId,
        reason: lastError,
        forMs: Math.ceil(breaker.openForMs)
      }))
      .filter(({ forMs }) => forMs > 0)
  }

  #entry(peerId: string): Entry {
    const known = this.#peers.get(peerId)
    if (known !== undefined) return known
    const isFailure = (thrown: unknown): boolean =>
      FAULTS.has(toCatalogError(thrown).code) && !this.#cutShort.has(thrown as object)
    const options = { name: peerId, failureThreshold: FAILURES, coolDownMs: COOL_DOWN_MS }
    const breaker = new CircuitBreaker({ clock: this.#clock, isFailure }, options)
    const entry: Entry = { peerId, breaker, lastError: '' }
    this.#peers.set(peerId, entry)
    return entry
  }
}

const describe = ({ code, message }: CatalogError): string => `${code}: ${message}`
