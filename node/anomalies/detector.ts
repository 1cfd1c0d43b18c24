/**
 * Finds when something is other than usual, without being told what usual is.
 *
 * Samples are taken together in batches, and each batch gives one number: of durations the logarithm of their median, so that
 * one slow request says nothing and "twice as slow" is the same step at a millisecond and at a second; of failures the arcsine of the
 * square root of their share, which scatters alike whatever the share is (scales.ts). What is usual is an exponentially weighted moving average of
 * these numbers, and how much they scatter one of their distances from it, as TCP estimates round trips (Jacobson, "Congestion Avoidance and Control",
 * 1988; RFC 6298). Each number moves both by no more than CLIP deviations (Huber's way to robust averages).
 *
 * What is unusual is added up (Page, "Continuous Inspection Schemes", 1954: CUSUM): by how many deviations each number lies above the average, beyond ALLOWANCE of them and
 * at most MOST. Numbers that are not so far above, or not much above in plain words (`isMuch`: what is steady to a percent may move by five without anybody's interest), take ALLOWANCE off again. While there
 * is a sum, what is usual stands still, so that what is being looked for does not become usual meanwhile. At LIMIT an anomaly begins, with the third number at the earliest:
 * one bad moment says nothing. It ends with CONFIRM numbers in a row that are not far above, or when it has lasted for ADOPT: then it is what is usual now. A drift that is slow enough
 * for the average to follow is no anomaly. There is no clock in it: where nothing happens nothing is sampled, and an idle node is never unusual.
 */
export interface Scale {
  /** Samples of a batch, at least. */
  readonly minSamples: number
  /** The number of a batch. */
  toNumber(samples: readonly number[]): number
  /** What a person would say of that number: milliseconds, or a share. */
  toValue(number: number): number
  /** Deviations are at least so large, however steady the past was. */
  leastDeviation(samples: number): number
  /** Whether the difference is worth a word. */
  isMuch(usual: number, now: number): boolean
}

export interface Anomaly {
  /** Of the first batch that was beyond the limit; by the caller's clock. */
  readonly sinceMs: number
  /** In the words of `toValue`. */
  readonly usual: number
  readonly now: number
  readonly samples: number
  readonly batches: number
}

export interface Watch {
  readonly batches: number
  readonly mean: number
  readonly deviation: number
  /** Deviations that were too much, added up; since when, and in how many samples. */
  readonly excess: number
  readonly excessSinceMs: number
  readonly excessSamples: number
  /** Batches in a row of an anomaly that are not far above. */
  readonly within: number
  readonly anomaly: Anomaly | undefined
}

export interface WatchStep {
  readonly watch: Watch
  readonly change?: { readonly kind: 'began' | 'ended' | 'usual now'; readonly anomaly: Anomaly }
}

/** In deviations: a batch in fifty that is nothing but noise is above the first; for the sum to come to LIMIT by noise alone takes centuries. */
const ALLOWANCE = 2
const MOST = 6
const LIMIT = 8
const CLIP = 3
const CONFIRM = 3
/** Batches before anything is said: a dozen tell an average, not yet what is rare. */
const LEARN = 16
/** Weights of the newest batch. */
const MEAN_WEIGHT = 1 / 16
const DEVIATION_WEIGHT = 1 / 32
/** Of a normal distribution, the standard deviation over the mean distance from the mean. */
const NORMAL = Math.sqrt(Math.PI / 2)
/** At a batch each half a minute two hours. */
const ADOPT = 240

const NO_EXCESS = { excess: 0, excessSinceMs: 0, excessSamples: 0 }
export const BEGIN: Watch = {
  batches: 0,
  mean: 0,
  deviation: 0,
  ...NO_EXCESS,
  within: 0,
  anomaly: undefined
}

/** What follows from the next batch, which began at `sinceMs`. Pure. */
export function observe(
  before: Watch,
  samples: readonly number[],
  { scale, sinceMs }: { scale: Scale; sinceMs: number }
): WatchStep {
  const number = scale.toNumber(samples)
  if (before.batches < LEARN) return { watch: learned(before, number) }
  const deviation = Math.max(before.deviation, scale.leastDeviation(samples.length))
  const distance = number - before.mean
  const [usual, now] = [scale.toValue(before.mean), scale.toValue(number)]
  const isFar = distance > ALLOWANCE * deviation && scale.isMuch(usual, now)
  if (before.anomaly !== undefined)
    return during(before, before.anomaly, { number, now, isFar, samples: samples.length })
  const above = Math.min(MOST, distance / deviation) - ALLOWANCE
  const excess = Math.max(0, before.excess + (isFar ? above : -ALLOWANCE))
  if (excess === 0) return { watch: { ...followed(before, distance, deviation), ...NO_EXCESS } }
  const isFirst = before.excess === 0
  const summed = {
    excess,
    excessSinceMs: isFirst ? sinceMs : before.excessSinceMs,
    excessSamples: (isFirst ? 0 : before.excessSamples) + samples.length
  }
  if (excess <= LIMIT) return { watch: { ...before, ...summed } }
  const { excessSinceMs, excessSamples } = summed
  const anomaly = { sinceMs: excessSinceMs, usual, now, samples: excessSamples, batches: 0 }
  return { watch: { ...before, ...NO_EXCESS, anomaly }, change: { kind: 'began', anomaly } }
}

interface Seen {
  readonly number: number
  readonly now: number
  readonly isFar: boolean
  readonly samples: number
}

function during(before: Watch, last: Anomaly, { number, now, isFar, samples }: Seen): WatchStep {
  const within = isFar ? 0 : before.within + 1
  const anomaly = { ...last, now, samples: last.samples + samples, batches: last.batches + 1 }
  if (within >= CONFIRM)
    return { watch: { ...before, within: 0, anomaly: undefined }, change: { kind: 'ended', anomaly } }
  if (anomaly.batches >= ADOPT)
    return { watch: learned(BEGIN, number), change: { kind: 'usual now', anomaly } }
  return { watch: { ...before, within, anomaly } }
}

/** Plain averages as long as there are few batches. */
function learned(before: Watch, number: number): Watch {
  const batches = before.batches + 1
  const mean = before.mean + (number - before.mean) / batches
  const far = Math.abs(number - mean) * NORMAL
  // The first is no distance from anything.
  const deviation = batches < 2 ? 0 : before.deviation + (far - before.deviation) / (batches - 1)
  return { ...BEGIN, batches, mean, deviation }
}

function followed(before: Watch, distance: number, deviation: number): Watch {
  const clipped = Math.max(-CLIP * deviation, Math.min(CLIP * deviation, distance))
  return {
    ...before,
    batches: before.batches + 1,
    mean: before.mean + MEAN_WEIGHT * clipped,
    deviation: before.deviation + DEVIATION_WEIGHT * (Math.abs(clipped) * NORMAL - before.deviation)
  }
}
