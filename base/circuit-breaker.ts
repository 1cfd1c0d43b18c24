/**
 * A circuit breaker leaves a part that keeps failing alone for a while: callers fail at once instead of queueing behind
 * its time-outs, and the part gets room to recover.
 *
 * Closed: calls pass; `failureThreshold` failures in a row open it. Open: every call is refused until `coolDownMs` have
 * passed. Half-open: then one call is let through as a trial while others are still refused; if it succeeds the breaker
 * closes, if it fails the breaker opens anew. A call that was under way when the state changed says nothing about the
 * new state and is not counted.
 */
import { assertInvariant, assertWholeNumber } from './assert.ts'
import type { Clock } from './clock.ts'
import { CatalogError, toCatalogError } from './errors.ts'

export interface CircuitBreakerOptions {
  /** What is protected, for the message of CIRCUIT_OPEN. */
  readonly name: string
  /** Failures in a row that open the breaker. */
  readonly failureThreshold: number
  readonly coolDownMs: number
}

export interface CircuitBreakerModules {
  readonly clock: Clock
  /** Whether an error counts against the part; unless given, everything but an abort does. */
  readonly isFailure?: (error: unknown) => boolean
}

export type CircuitState = 'closed' | 'open' | 'half-open'

export class CircuitBreaker {
  readonly #modules: CircuitBreakerModules
  readonly #options: CircuitBreakerOptions
  #state: CircuitState = 'closed'
  #failures = 0
  /** Monotonic time at which an open breaker lets a trial through. */
  #openUntilMs = 0
  #trialRunning = false
  /** Counts changes of state, to know calls that began in an earlier one. */
  #generation = 0

  constructor(modules: CircuitBreakerModules, options: CircuitBreakerOptions) {
    assertWholeNumber(options.failureThreshold, 1, 'failureThreshold')
    assertInvariant(options.coolDownMs >= 0, 'coolDownMs >= 0')
    this.#modules = modules
    this.#options = options
  }

  get state(): CircuitState {
    if (this.#state === 'open' && this.#modules.clock.monotonicMs() >= this.#openUntilMs)
      this.#enter('half-open')
    return this.#state
  }

  /** How long an open breaker still refuses; 0 in any other state. */
  get openForMs(): number {
    return this.state === 'open' ? this.#openUntilMs - this.#modules.clock.monotonicMs() : 0
  }

  /** An open breaker lets its trial through now: there is reason to believe that the part is well again. */
  allowTrial(): void {
    if (this.#state === 'open') this.#enter('half-open')
  }

  /** Runs `fn`, or throws CIRCUIT_OPEN (details: name, retryAfterMs) without running it. */
  async run<T>(fn: () => Promise<T> | T): Promise<T> {
    const state = this.state
    if (state === 'open' || (state === 'half-open' && this.#trialRunning)) throw this.#refusal()
    const generation = this.#generation
    if (state === 'half-open') this.#trialRunning = true
    try {
      const value = await fn()
      if (generation === this.#generation) this.#succeeded()
      return value
    } catch (error) {
      if (generation === this.#generation) this.#failed(error)
      throw error
    }
  }

  #succeeded(): void {
    this.#failures = 0
    if (this.#state === 'half-open') this.#enter('closed')
  }

  #failed(error: unknown): void {
    this.#trialRunning = false
    const { clock, isFailure = isNoAbort } = this.#modules
    if (!isFailure(error)) return
    this.#failures++
    if (this.#state === 'closed' && this.#failures < this.#options.failureThreshold) return
    this.#openUntilMs = clock.monotonicMs() + this.#options.coolDownMs
    this.#enter('open')
  }

  #enter(state: CircuitState): void {
    this.#state = state
    this.#generation++
    this.#failures = 0
    this.#trialRunning = false
  }

  #refusal(): CatalogError {
    const { name, coolDownMs } = this.#options
    const untilOpenMs = this.#openUntilMs - this.#modules.clock.monotonicMs()
    const retryAfterMs = Math.ceil(this.#state === 'open' ? untilOpenMs : coolDownMs)
    return new CatalogError('CIRCUIT_OPEN', `${name} failed repeatedly and is left alone`, {
      details: { name, retryAfterMs }
    })
  }
}

const isNoAbort = (error: unknown): boolean => toCatalogError(error).code !== 'ABORTED'
