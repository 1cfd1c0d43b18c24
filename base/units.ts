/**
 * Durations, sizes and counts as people write them (`1h30m`, `300ms`, `10MiB`, `10MB`, plain bytes) and back. `format…` is
 * exact: parsing its result gives the number again. `display…` rounds, for reading only.
 */
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from './clock.ts'
import { CatalogError } from './errors.ts'

/** Longest first: the order in which the parts of a duration are written. */
const DURATION_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1]
]
const KB = 1000
const MB = 1000 * KB
const GB = 1000 * MB
const TB = 1000 * GB
const TIB = 1024 * GIB
/** Largest first. Decimal units are powers of 1000, binary ones of 1024. */
const SIZE_UNITS: readonly (readonly [unit: string, bytes: number])[] = [
  ['TiB', TIB],
  ['TB', TB],
  ['GiB', GIB],
  ['GB', GB],
  ['MiB', MIB],
  ['MB', MB],
  ['KiB', KIB],
  ['kB', KB],
  ['B', 1]
]

export const DURATION_RULE = 'a duration such as 300ms, 10s, 5m or 1h30m'
export const SIZE_RULE = 'a size such as 4096, 64KiB, 10MB or 1GiB'

/** Milliseconds in a duration: parts from the longest unit to the shortest, each at most once. INVALID_ARGUMENT otherwise. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy)]
  const consumed = parts.reduce((length, part) => length + part[0].length, 0)
  if (parts.length === 0 || consumed !== text.length) throw refused(text, DURATION_RULE)
  let totalMs = 0
  let previousRank = -1
  for (const [, amount, unit] of parts) {
    const rank = DURATION_UNITS.findIndex(([name]) => name === unit)
    if (rank <= previousRank) throw refused(text, DURATION_RULE)
    previousRank = rank
    totalMs += Number(amount) * DURATION_UNITS[rank]![1]
  }
  return wholeNumber(totalMs, text, 'whole milliseconds')
}

/** The shortest exact writing of a whole number of milliseconds: 5400000 is `1h30m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0'
  let restMs = ms
  let text = ''
  for (const [unit, unitMs] of DURATION_UNITS) {
    const amount = Math.floor(restMs / unitMs)
    if (amount === 0) continue
    text += `${amount}${unit}`
    restMs -= amount * unitMs
  }
  return text
}

/** Bytes in a size; the case of a unit does not matter, the `i` does. INVALID_ARGUMENT otherwise. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text)
  if (match === null) throw refused(text, SIZE_RULE)
  const [, amount, unit = ''] = match
  const bytes = unit === '' ? 1 : SIZE_UNITS.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1]
  if (bytes === undefined) throw refused(text, SIZE_RULE)
  return wholeNumber(Number(amount) * bytes, text, 'whole bytes')
}

/** The exact writing of a whole number of bytes in the largest unit that divides it: 10485760 is `10MiB`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0'
  const [unit, unitBytes] = SIZE_UNITS.find(([, size]) => bytes % size === 0)!
  return `${bytes / unitBytes}${unit}`
}

/** A size to read, three digits: 1536000 is `1.54 MB`. */
export function displaySize(bytes: number): string {
  const decimal = SIZE_UNITS.filter(([unit]) => !unit.includes('i'))
  const [unit, unitBytes] = decimal.find(([, size]) => bytes >= size) ?? ['B', 1]
  return `${threeDigits(bytes / unitBytes)} ${unit}`
}

/** A duration to read: `12 ms`, `3.41 s`, then whole seconds as `5m12s` or `2h3m4s`. */
export function displayDuration(ms: number): string {
  if (ms < SECOND_MS) return `${threeDigits(ms)} ms`
  if (ms < MINUTE_MS) return `${threeDigits(ms / SECOND_MS)} s`
  return formatDuration(Math.round(ms / SECOND_MS) * SECOND_MS)
}

/** A share of 0 to 1 to read: 0.954 is `95 %`. */
export const displayShare = (share: number): string => `${Math.round(share * 100)} %`

/** How many of something, to read: `1 file`, `2,000 files`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`
}

function threeDigits(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return value.toFixed(value >= 10 ? 1 : 2)
}

/** Rounds away the error of binary fractions (`0.1s` is 100 ms), but does not invent or lose a real fraction. */
function wholeNumber(value: number, text: string, rule: string): number {
  const whole = Math.round(value)
  if (!Number.isSafeInteger(whole) || Math.abs(value - whole) > 1e-6) throw refused(text, rule)
  return whole
}

function refused(text: string, rule: string): CatalogError {
  return new CatalogError('INVALID_ARGUMENT', `'${text}' is not ${rule}`, { details: { value: text, rule } })
}
