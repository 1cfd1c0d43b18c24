import { CatalogError, DAY_MS, formatDuration, parseDuration, parseSize } from '../../base/index.ts'

/** A whole number from `minimum` to `maximum`, for flags such as --wait and --limit. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum)
      throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not a whole number of at least ${minimum}`)
    if (value > maximum) throw new CatalogError('INVALID_ARGUMENT', `'${text}' is more than ${maximum}`)
    return value
  }
}

/** The longest that the daemon gives an operation, and well below the 24 days that a timer can wait. */
const MAX_TIMEOUT_MS = 7 * DAY_MS

/** `500ms`, `30s`, `5m`: a duration above zero in milliseconds. */
export function timeout(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs <= 0) throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not longer than zero`)
  if (durationMs > MAX_TIMEOUT_MS)
    throw new CatalogError('INVALID_ARGUMENT', `'${text}' is more than ${formatDuration(MAX_TIMEOUT_MS)}`)
  return durationMs
}

/** `64KiB`, `5MB`: a size above zero in bytes. */
export function size(text: string): number {
  const bytes = parseSize(text)
  if (bytes <= 0) throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not more than nothing`)
  return bytes
}

/** `2MB/s` or `2MB`: bytes a second; 0 is no limit. */
export const rate = (text: string): number => parseSize(text.replace(/\/s$/, ''))

/** `key=value` of --set, split at the first `=`. */
export function assignment(text: string): [key: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not of the form key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}
