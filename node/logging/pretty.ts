import { LOG_LEVELS } from './line.ts'

const RED = 31
const YELLOW = 33
const GREEN = 32
const GREY = 90
const COLOURS: Record<number, number> = {
  [LOG_LEVELS.error]: RED,
  [LOG_LEVELS.warn]: YELLOW,
  [LOG_LEVELS.info]: GREEN,
  [LOG_LEVELS.debug]: GREY,
  [LOG_LEVELS.trace]: GREY
}
const NAMES = new Map<number, string>(Object.entries(LOG_LEVELS).map(([name, level]) => [level, name]))

/** A JSON log line as a person reads it: time, level, message, then the fields as `key=value`. */
export function prettyLine(json: string, colour: boolean): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as { level: number; time: string; msg?: string }
  const paint = (text: string, code: number): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const name = (NAMES.get(level) ?? String(level)).padEnd(5)
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`)
  const clock = time.slice(11, 23)
  const tail = pairs.length === 0 ? '' : ` ${paint(pairs.join(' '), GREY)}`
  return `${paint(clock, GREY)} ${paint(name, COLOURS[level] ?? GREY)} ${plain(msg ?? '')}${tail}\n`
}

function fieldText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[\w./:@+-]*$/.test(value) ? value : JSON.stringify(value)
}

/** Names and messages of peers may hold control characters, which a terminal would obey. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}
