/**
 * Looks for the settings with which most comes in, by trying. How much may be under way at once has a best value that nobody knows beforehand: with too
 * little a link or a disk idles, with too much all wait for each other. Netflix's concurrency-limits (github.com/Netflix/concurrency-limits) finds it for servers from latencies, as TCP Vegas
 * does; a fetch has no latency to speak of, but a throughput, so this is the older way of hill climbing, one knob at a time: measure, turn one knob a step, measure again, keep what
 * brought at least MIN_GAIN more, and else turn it back. Who was turned back is tried in the other direction, and each time in vain rests twice as long, so that at the top
 * hardly anything moves; a gain ends the rest. Nothing is tried, and what is being tried is turned back, when too little goes on to measure. Pure: the caller has the clock.
 */
export interface KnobRange {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly configured: number
}

interface KnobState extends KnobRange {
  readonly value: number
  readonly direction: 1 | -1
  /** Trials in vain since the last gain, and rounds that it still rests. */
  readonly misses: number
  readonly rests: number
}

export interface Climb {
  readonly knobs: readonly KnobState[]
  /** Knob whose turn it is. */
  readonly at: number
  /** Throughputs of the windows measured so far. */
  readonly measured: readonly number[]
  /** A knob that was turned, what it was, and the throughput before. */
  readonly trial: { readonly from: number; readonly before: number } | undefined
}

export interface Window {
  /** Bytes a second. */
  readonly throughput: number
  /** Whether so much was under way all the time that the knobs are what decides. */
  readonly isBusy: boolean
  /** Names of knobs that limit nothing now, so that turning them would say nothing. */
  readonly loose?: readonly string[]
}

export interface Turn {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly why: 'try' | 'in vain' | 'idle'
  /** Bytes a second before, and with what was tried. */
  readonly before: number
  readonly after: number | undefined
}

/** Windows of one measurement. */
const WINDOWS = 3
const MIN_GAIN = 0.1
/** Of the value; one at least. */
const STEP = 0.25
/** After so many trials in vain the rest grows no more: 64 rounds of measuring. */
const MOST_MISSES = 6

export const beginClimb = (knobs: readonly KnobRange[]): Climb => ({
  knobs: knobs.map(knob => ({ ...knob, value: knob.configured, direction: 1, misses: 0, rests: 0 })),
  at: 0,
  measured: [],
  trial: undefined
})

/** What follows from a window: at most one knob is turned. */
export function climb(
  before: Climb,
  { throughput, isBusy, loose = [] }: Window
): { next: Climb; turn?: Turn } {
  if (!isBusy) return turnedBack(before, 'idle', undefined)
  const measured = [...before.measured, throughput]
  if (measured.length < WINDOWS) return { next: { ...before, measured } }
  const mean = measured.reduce((sum, one) => sum + one, 0) / WINDOWS
  if (before.trial === undefined) return tried({ ...before, measured: [] }, mean, loose)
  if (mean < (1 + MIN_GAIN) * before.trial.before) return turnedBack(before, 'in vain', mean)
  const kept = changed(before, { misses: 0, rests: 0 })
  // The same way again, from what has just been measured.
  return tried({ ...kept, measured: [], trial: undefined }, mean, loose)
}

function turnedBack(
  climb: Climb,
  why: 'in vain' | 'idle',
  after: number | undefined
): ReturnType<typeof tried> {
  const { trial, at, knobs } = climb
  if (trial === undefined) return { next: { ...climb, measured: [] } }
  const { name, value, direction, misses } = knobs[at]!
  const missed = Math.min(MOST_MISSES, misses + 1)
  const less = { direction: -direction as 1 | -1, misses: missed, rests: 2 ** missed }
  const back = changed(climb, { value: trial.from, ...(why === 'in vain' ? less : {}) })
  const next = { ...back, at: (at + 1) % knobs.length, measured: [], trial: undefined }
  return { next, turn: { name, from: value, to: trial.from, why, before: trial.before, after } }
}

/** Turns the next knob that does not rest, or lets all rest. */
function tried(climb: Climb, before: number, loose: readonly string[]): { next: Climb; turn?: Turn } {
  const order = climb.knobs.map((_, index) => (climb.at + index) % climb.knobs.length)
  const at = order.find(index => {
    const { name, rests, min, max } = climb.knobs[index]!
    return rests === 0 && min < max && !loose.includes(name)
  })
  const knobs = climb.knobs.map(knob => ({ ...knob, rests: Math.max(0, knob.rests - 1) }))
  if (at === undefined) return { next: { ...climb, knobs } }
  const { name, value: from, min, max, direction } = climb.knobs[at]!
  const way = (from >= max && direction > 0) || (from <= min && direction < 0) ? -direction : direction
  const step = Math.max(1, Math.round(STEP * from))
  const to = Math.min(max, Math.max(min, from + way * step))
  const next = changed({ ...climb, knobs, at }, { value: to, direction: way as 1 | -1 })
  return {
    next: { ...next, trial: { from, before } },
    turn: { name, from, to, why: 'try', before, after: undefined }
  }
}

const changed = (climb: Climb, more: Partial<KnobState>): Climb => ({
  ...climb,
  knobs: climb.knobs.map((knob, index) => (index === climb.at ? { ...knob, ...more } : knob))
})
