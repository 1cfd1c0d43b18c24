import { displaySize, SECOND_MS } from '../../base/index.ts'
import type { PeerLimitsShape } from '../client/types.ts'

/** `12.3 MB/s`; empty while there is nothing to divide by. */
export function displayRate(bytes: number, durationMs: number): string {
  return durationMs <= 0 ? '' : `${displaySize((bytes * SECOND_MS) / durationMs)}/s`
}

/** C0 and C1 controls, and the characters that reorder or hide text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/**
 * Text that a stranger wrote, made safe for a terminal: names, descriptions and paths come from other peers and may hold
 * escape sequences. Each control character becomes `\xNN`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, character => {
    const code = character.charCodeAt(0)
    return code <= 0xff
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Columns padded to their widest cell, two spaces between, a heading line first. Empty without rows. */
export function formatTable(heading: string[], rows: string[][]): string {
  if (rows.length === 0) return ''
  const lines = [heading, ...rows].map(row => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...lines.map(line => (line[column] ?? '').length)))
  return lines
    .map(line =>
      line
        .map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** `key  value` lines; a list value takes one line per item, an absent value none. */
export function formatFields(fields: Array<[string, string | number | string[] | undefined]>): string {
  const width = Math.max(...fields.map(([key]) => key.length))
  const lines: string[] = []
  for (const [key, value] of fields) {
    if (value === undefined) continue
    const values = Array.isArray(value) ? value : [String(value)]
    values.forEach((item, index) => {
      lines.push(`${(index === 0 ? key : '').padEnd(width)}  ${printable(item)}`.trimEnd())
    })
  }
  return lines.join('\n')
}

/** `up 2 MB/s, down 2 MB/s, burst 5 MB`; in brackets what follows from the configuration; `none` without a limit. */
export function limitsText({ up, down, burst, isSet }: PeerLimitsShape): string {
  if (!isSet && up === 0 && down === 0) return 'none'
  const rateText = (rate: number): string => (rate === 0 ? 'unlimited' : `${displaySize(rate)}/s`)
  const text = `up ${rateText(up)}, down ${rateText(down)}, burst ${displaySize(burst)}`
  return isSet ? text : `(${text})`
}
