import { HOUR_MS, SECOND_MS } from '../../base/index.ts'

/** How long a claim holds unless it is renewed: a day, and the margin that a sweep which runs late may use up. */
export const CLAIM_LIFETIME_MS = 25 * HOUR_MS

/** The limits of a provider store, each with its reason. */
export interface ProviderLimits {
  /** Keys of one provider. A node with more names than this announces libraries instead. */
  readonly claimsPerProvider: number
  /** Claims in all: 2,000,000 are about 200 MB in LevelDB. */
  readonly claims: number
  /** Providers in all: each costs a peer record, so a flood of made-up peers must not multiply them. */
  readonly providers: number
  /** Claims and providers of one network (/24 of IPv4, /48 of IPv6), so that whoever has only one cannot fill the store. */
  readonly claimsPerNetwork: number
  readonly providersPerNetwork: number
  /** Batches of claims that wait for the writer; more are answered BUSY. */
  readonly waitingBatches: number
}

export const PROVIDER_LIMITS: ProviderLimits = {
  claimsPerProvider: 100_000,
  claims: 2_000_000,
  providers: 100_000,
  claimsPerNetwork: 200_000,
  providersPerNetwork: 1000,
  waitingBatches: 256
}

/** Batches written together: one fsync for all that came while the last one ran, and a bound on one write. */
export const BATCHES_PER_WRITE = 16

/** Rows of one key that an answer is drawn from: a key with more claims is answered from a part of them. */
export const ROWS_PER_ANSWER = 256

/** Rows that are looked at for a claim that may go when the store is full. */
export const EVICTION_SAMPLE_ROWS = 16

/** Rows that one step of the clean-up reads: a few milliseconds. */
export const CLEANUP_ROWS = 1000

/** Between two steps: a full store is gone through in about 3 hours, an empty one costs one read. */
export const CLEANUP_INTERVAL_MS = 5 * SECOND_MS
