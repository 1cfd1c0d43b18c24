/**
 * Rates by time of day, as a person writes them: `08:00-18:00 5MiB/s`, optionally with a direction before the rate
 * (`08:00-18:00 down 5MiB/s`; up unless said). A window that ends before it begins goes over midnight. The first
 * window that holds a moment counts; outside all of them the ordinary rate does. Local time of the machine.
 */
import { CatalogError, KIB, parseSize } from '../../base/index.ts'
import { MIN_RATE_BYTES } from './limits.ts'
import { PRIORITIES, type Priority } from './priority.ts'

export type Direction = 'up' | 'down'

export interface RateWindow {
  readonly direction: Direction
  /** Minutes since midnight; the end is not part of it. */
  readonly fromMinute: number
  readonly toMinute: number
  /** Bytes a second; 0 is no limit. */
  readonly rate: number
}

/** A rate for one class in one direction. */
export interface ClassRate {
  readonly priority: Priority
  readonly direction: Direction
  readonly rate: number
}

const FORM = /^(\d\d):(\d\d)-(\d\d):(\d\d) (?:(up|down) )?(\S+)$/
const DAY_MINUTES = 24 * 60

/** INVALID_ARGUMENT for what is not a window. */
export function parseWindow(text: string): RateWindow {
  const refused = (why: string): CatalogError =>
    new CatalogError('INVALID_ARGUMENT', `'${text}' is not a window such as '08:00-18:00 5MiB/s': ${why}`)
  const match = FORM.exec(text)
  if (match === null) throw refused('it is a time, a time and a rate')
  const [, fromHour, fromMinute, toHour, toMinute, direction = 'up', rate] = match
  const minuteOf = (hour: string | undefined, minute: string | undefined): number => {
    const total = 60 * Number(hour) + Number(minute)
    if (Number(minute) >= 60 || total > DAY_MINUTES) throw refused(`${hour}:${minute} is no time of day`)
    return total
  }
  return {
    direction: direction as Direction,
    fromMinute: minuteOf(fromHour, fromMinute),
    toMinute: minuteOf(toHour, toMinute),
    rate: parseRate(rate!)
  }
}

const CLASS_FORM = /^(\S+) (?:(up|down) )?(\S+)$/

/** `low 1MB/s` or `low down 1MB/s`: the rate of a class in one direction. INVALID_ARGUMENT for what is none. */
export function parseClassRate(text: string): ClassRate {
  const [, priority, direction = 'up', rate] = CLASS_FORM.exec(text) ?? []
  if (!isPriority(priority) || rate === undefined)
    throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not a class and a rate such as 'low 1MB/s'`)
  return { priority, direction: direction as Direction, rate: parseRate(rate) }
}

const isPriority = (text: string | undefined): text is Priority => PRIORITIES.some(name => name === text)

/** Bytes a second in `5MiB/s` or `5MiB`; 0 is no limit. INVALID_ARGUMENT below MIN_RATE_BYTES. */
export function parseRate(text: string): number {
  const rate = parseSize(text.replace(/\/s$/, ''))
  expectRate(rate, `'${text}'`)
  return rate
}

/** Throws INVALID_ARGUMENT for a rate below MIN_RATE_BYTES that is not 0; `said` is what it came as. */
export function expectRate(rate: number, said = `${rate}B/s`): void {
  if (rate === 0 || rate >= MIN_RATE_BYTES) return
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${said} is below the least rate, ${MIN_RATE_BYTES / KIB}KiB/s`,
    { hint: 'at a lower rate an answer takes longer than peers wait; 0 is no limit' }
  )
}

/** The rate at a minute of the day. */
export function rateAt(
  windows: readonly RateWindow[],
  direction: Direction,
  minute: number,
  ordinary: number
): number {
  const window = windows.find(
    ({ direction: of, fromMinute, toMinute }) =>
      of === direction &&
      (fromMinute < toMinute
        ? minute >= fromMinute && minute < toMinute
        : minute >= fromMinute || minute < toMinute)
  )
  return window?.rate ?? ordinary
}
