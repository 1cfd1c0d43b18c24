/** What batches of samples are measured by, for the detector. */
import type { Scale } from './detector.ts'

/** Durations below it count as this long. */
const LEAST_MS = 0.01
/** Twice as long as usual is where somebody would begin to look. */
const MUCH_SLOWER = 2
/** A share of failures that is so much larger is, too. */
const MUCH_MORE = 0.2

const median = (samples: readonly number[]): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

/** Of durations in milliseconds; differences below `leastMs` are of no interest. */
export const durations = (leastMs: number): Scale => ({
  minSamples: 8,
  toNumber: samples => Math.log(Math.max(LEAST_MS, median(samples))),
  toValue: Math.exp,
  leastDeviation: () => 0.05,
  isMuch: (usual, now) => now >= MUCH_SLOWER * usual && now - usual >= leastMs
})

/** How many times as long as usual: numbers around 1. */
export const ratios: Scale = { ...durations(0), isMuch: (usual, now) => now >= MUCH_SLOWER * usual }

/** Of 1 for a failure and 0 for none. */
export const failures: Scale = {
  minSamples: 16,
  toNumber: samples => Math.asin(Math.sqrt(samples.reduce((sum, one) => sum + one, 0) / samples.length)),
  toValue: number => Math.sin(Math.min(Math.PI / 2, Math.max(0, number))) ** 2,
  // Chance alone scatters so much, whatever the share is.
  leastDeviation: samples => 1 / (2 * Math.sqrt(samples)),
  isMuch: (usual, now) => now - usual >= MUCH_MORE
}
