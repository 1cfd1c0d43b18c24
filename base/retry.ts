import { assertInvariant, assertWholeNumber } from './assert.ts'
import type { Clock } from './clock.ts'
import { toCatalogError } from './errors.ts'

/**
 * How often and how patiently to repeat what failed. Before attempt n + 1 the wait is
 * `min(maxDelayMs, firstDelayMs * factor ** (n - 1))`, of which the share `jitter` is drawn at random. With full jitter
 * (1, the usual choice) a thousand clients that failed together come back spread over the whole wait instead of together.
 */
export interface RetryPolicy {
  /** Calls in all, the first included; at least 1. */
  readonly attempts: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** Growth of the wait from one attempt to the next; at least 1. */
  readonly factor: number
  /** Share of the wait that is random, 0 (none) to 1 (full jitter). */
  readonly jitter: number
}

export interface RetryModules {
  readonly clock: Clock
  /** Uniform in [0, 1); `Math.random` unless given. */
  readonly random?: () => number
  /** Whether an error is worth another attempt; unless given, everything but an abort is. */
  readonly retryable?: (error: unknown) => boolean
  /** A wait that the error itself asks for, in place of the policy's; undefined when it asks for none. */
  readonly delayOf?: (error: unknown) => number | undefined
  /** Told before each wait: for a log line or a metric. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void
  readonly signal?: AbortSignal
}

/** The wait in milliseconds after failed attempt `attempt` (1 = the first), for a `random` in [0, 1). */
export function backoffDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  // A power may overflow, and 0 * Infinity is no number.
  const growth = Math.min(policy.factor ** (attempt - 1), Number.MAX_VALUE)
  const fullMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * growth)
  return fullMs * (1 - policy.jitter + policy.jitter * random)
}

/**
 * Calls `fn(attempt)` until it resolves, the attempts are used up, or an error is not retryable: then throws that last
 * error as it came. An abort of `signal` ends a wait at once with the signal's reason and starts no further attempt.
 */
export async function retry<T>(
  fn: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  modules: RetryModules
): Promise<T> {
  checkPolicy(policy)
  const { clock, signal, onRetry, delayOf, random = Math.random, retryable = isNoAbort } = modules
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await fn(attempt)
    } catch (error) {
      if (attempt >= policy.attempts || signal?.aborted === true || !retryable(error)) throw error
      const delayMs = delayOf?.(error) ?? backoffDelayMs(policy, attempt, random())
      onRetry?.(error, attempt, delayMs)
      await clock.wait(delayMs, signal)
    }
  }
}

const isNoAbort = (error: unknown): boolean => toCatalogError(error).code !== 'ABORTED'

function checkPolicy(policy: RetryPolicy): void {
  assertWholeNumber(policy.attempts, 1, 'attempts')
  assertInvariant(policy.firstDelayMs >= 0, 'firstDelayMs >= 0')
  assertInvariant(policy.maxDelayMs >= policy.firstDelayMs, 'maxDelayMs >= firstDelayMs')
  assertInvariant(policy.factor >= 1, 'factor >= 1')
  assertInvariant(policy.jitter >= 0 && policy.jitter <= 1, '0 <= jitter <= 1')
}
