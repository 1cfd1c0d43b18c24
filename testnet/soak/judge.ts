/** Whether a node may go on like this for ever: verdicts over what was seen of it. Pure. */
import { displayDuration, MIB, MINUTE_MS, percentile } from '../../base/index.ts'
import type { Judgement } from '../scenarios/scenario.ts'
import type { Life, NodeHistory } from './history.ts'
import type { Series } from './series.ts'
import { trendOf } from './trend.ts'

/**
 * Of each life at most: caches fill, V8's heap finds its size. A third of a life that is shorter than three times as long.
 */
const WARM_UP_MS = 15 * MINUTE_MS
const WARM_UP_SHARE = 1 / 3
/** Of what is left after warming up: a trend over less is noise. */
const LEAST_JUDGED_MS = 8 * MINUTE_MS
/**
 * As far as the trend may carry memory over what is judged of a life. A heap that grows with load and is collected moves as much; a leak
 * passes it sooner or later, so the longer a soak, the smaller the leak that it finds.
 */
const RSS_GROWTH_BYTES = 32 * MIB
const FILES_GROWTH = 16
/** Whatever the trend. A node of the soak has some dozens: files of LevelDB, segments, sockets of clients. */
const MOST_FILES = 256
/**
 * How late an event loop may be, in most minutes and in nearly all; and where the machine has too much to do, so many times as late as that of a
 * thread with little work.
 */
const LOOP_MEDIAN_MS = 50
const LOOP_P95_MS = 250
const LOOP_TIMES_REFERENCE = 4
const LEAST_MINUTES = 5
/** Of what users did: faults make some of it fail, and only some. */
const MOST_FAILED_SHARE = 0.15
const LEAST_OPERATIONS = 20

/** Codes that say that nobody had thought of it: Catalog's own, and the errors of the language. */
const UNEXPECTED = new Set([
  'INTERNAL',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'AssertionError',
  'ERR_ASSERTION',
  'ERR_UNHANDLED_ERROR',
  'HUNG'
])
export const isUnexpected = (code: string): boolean => UNEXPECTED.has(code)

export interface Seen {
  readonly histories: readonly NodeHistory[]
  readonly referenceLoop: Series
  /** How often faults ended the process of a node. */
  endsOf(node: string): number
  /** What could not be given or taken back. */
  readonly faultProblems: readonly string[]
  /** What users got: failures by code, and how many ended well. */
  readonly failed: Readonly<Record<string, number>>
  readonly done: number
  /** Messages of errors that are unexpected. */
  readonly messages: readonly string[]
}

/** Verdicts by what they are about. */
export const judge: Readonly<Record<string, (seen: Seen) => Judgement>> = {
  'every process ended only when a fault ended it': ({ histories, endsOf }) =>
    outcome(
      histories.flatMap(({ name, ends, starts }) => {
        const asked = 1 + endsOf(name)
        const more = starts > asked ? [`${name} had ${starts} processes, ${asked} were asked for`] : []
        return [...ends.map(end => `${name} ${end}`), ...more]
      })
    ),

  'all faults were given and taken back': ({ faultProblems }) => outcome(faultProblems),

  'no node met an error that nobody had thought of': ({ histories, failed, messages }) => {
    const said = histories.flatMap(history => unexpectedOf(history.errors(), `the log of ${history.name}`))
    const faults = [...said, ...unexpectedOf(failed, 'users')]
    return outcome(faults.length === 0 ? [] : [...faults, ...messages])
  },

  'what users did went well but for some of it': ({ failed, done }) => {
    const failures = Object.values(failed).reduce((sum, count) => sum + count, 0)
    const share = failures / (failures + done)
    if (failures + done < LEAST_OPERATIONS) return unjudged(`only ${failures + done} operations`)
    return outcome(
      share > MOST_FAILED_SHARE ? [`${failures} of ${failures + done} failed: ${countsOf(failed)}`] : []
    )
  },

  'memory does not grow': seen => judgeGrowth(seen, ({ rss }) => rss, RSS_GROWTH_BYTES, shownMemory),

  'open files do not grow': seen => {
    const most = seen.histories.filter(({ mostFiles }) => mostFiles > MOST_FILES)
    const tooMany = most.map(({ name, mostFiles }) => `${name} had ${mostFiles} open`)
    const growth = judgeGrowth(seen, ({ files }) => files, FILES_GROWTH, String)
    return tooMany.length === 0
      ? growth
      : outcome([...tooMany, ...(growth.reason === undefined ? [] : [growth.reason])])
  },

  'event loops are not held up': ({ histories, referenceLoop }) => {
    const reference = referenceLoop.points.map(({ value }) => value)
    if (reference.length < LEAST_MINUTES) return unjudged(`only ${reference.length} minutes to compare with`)
    const faults = histories.flatMap(({ name, loop }) => {
      const values = loop.points.map(({ value }) => value)
      return [[0.5, LOOP_MEDIAN_MS] as const, [0.95, LOOP_P95_MS] as const].flatMap(([share, most]) => {
        const [own, machine] = [percentile(values, share) ?? 0, percentile(reference, share)!]
        if (own <= Math.max(most, LOOP_TIMES_REFERENCE * machine)) return []
        const which = share === 0.5 ? 'in most minutes' : 'in more than a twentieth of minutes'
        return [
          `${name} is ${displayDuration(own)} late ${which}, a thread with little work ${displayDuration(machine)}`
        ]
      })
    })
    return outcome(faults)
  }
}

/** What the trend says of a life once it has warmed up; undefined of one that was too short. */
export function growthOf(
  life: Life,
  of: (life: Life) => Series
): { readonly perMs: number; readonly overMs: number } | undefined {
  const { points } = of(life)
  const [firstMs, lastMs] = [points[0]?.atMs ?? 0, points.at(-1)?.atMs ?? 0]
  const warmUpMs = Math.min(WARM_UP_MS, WARM_UP_SHARE * (lastMs - firstMs))
  const judged = points.filter(({ atMs }) => atMs >= firstMs + warmUpMs)
  const overMs = lastMs - firstMs - warmUpMs
  const perMs = trendOf(judged)
  return overMs < LEAST_JUDGED_MS || perMs === undefined ? undefined : { perMs, overMs }
}

function judgeGrowth(
  { histories }: Seen,
  of: (life: Life) => Series,
  allowed: number,
  shown: (amount: number) => string
): Judgement {
  const growths = histories.flatMap(({ name, lives }) =>
    lives.flatMap(life => {
      const growth = growthOf(life, of)
      return growth === undefined ? [] : [{ name, by: growth.perMs * growth.overMs, ...growth }]
    })
  )
  const least = displayDuration(LEAST_JUDGED_MS / (1 - WARM_UP_SHARE))
  if (growths.length === 0) return unjudged(`no process was seen for ${least}`)
  return outcome(
    growths
      .filter(({ by }) => by > allowed)
      .map(({ name, by, overMs }) => `${name} grew by ${shown(Math.round(by))} in ${displayDuration(overMs)}`)
  )
}

const shownMemory = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`

const outcome = (faults: readonly string[]): Judgement =>
  faults.length === 0 ? { state: 'passed' } : { state: 'failed', reason: faults.join('; ') }

const unjudged = (reason: string): Judgement => ({ state: 'skipped', reason })

function unexpectedOf(counts: Readonly<Record<string, number>>, where: string): string[] {
  const found = Object.fromEntries(Object.entries(counts).filter(([code]) => isUnexpected(code)))
  return Object.keys(found).length === 0 ? [] : [`${where}: ${countsOf(found)}`]
}

const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ')
