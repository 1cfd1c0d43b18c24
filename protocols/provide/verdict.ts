import { CatalogError } from '../../base/index.ts'

/** What a holder decided about one key of a provide request; one byte each on the wire, the numbers are a contract. */
export const Verdict = {
  /** Kept, and on disk. */
  Accepted: 0,
  /** Too far from this node: others are nearer to the key. */
  NotNear: 1,
  /** This provider already has as many keys here as one provider may have. */
  ProviderFull: 2,
  /** This node has no room for new claims. */
  StoreFull: 3
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/** A byte of the wire as a verdict; a number of a later version counts as a refusal. */
export const toVerdict = (byte: number): Verdict => {
  if (byte === Verdict.Accepted || byte === Verdict.NotNear || byte === Verdict.ProviderFull) return byte
  return Verdict.StoreFull
}

/**
 * The verdicts of an answer on `count` keys: none stands for all accepted. Another number is PROTOCOL_VIOLATION: a key that
 * nothing was said about must not count as kept.
 */
export function toVerdicts(bytes: Uint8Array, count: number): Verdict[] {
  if (bytes.length === 0) return Array.from({ length: count }, () => Verdict.Accepted)
  if (bytes.length === count) return Array.from(bytes, toVerdict)
  throw new CatalogError('PROTOCOL_VIOLATION', `${bytes.length} verdicts were given on ${count} keys`)
}
