/**
 * One value: reading it from text (environment, flags) or from TOML, checking it against its rule, saying the rule in
 * words, and writing it back. All of it follows from the key's schema.
 */
import {
  DURATION_RULE,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  SIZE_RULE
} from '../base/index.ts'
import type { ValueSchema } from './keys.ts'
import type { ConfigValue, Unit } from './schema/builders.ts'

interface UnitCodec {
  readonly rule: string
  parse(text: string): number
  format(value: number): string
}

const UNITS: Record<Unit, UnitCodec> = {
  duration: { rule: DURATION_RULE, parse: parseDuration, format: formatDuration },
  size: { rule: SIZE_RULE, parse: parseSize, format: formatSize },
  rate: {
    rule: 'a rate such as 10MB or 10MB/s (a size per second)',
    parse: text => parseSize(text.replace(/\/s$/, '')),
    format: value => (value === 0 ? '0' : `${formatSize(value)}/s`)
  }
}

/** The value written in an environment variable or flag, or undefined when it breaks the rule. Lists take commas. */
export function valueFromText(schema: ValueSchema, text: string): ConfigValue | undefined {
  const trimmed = text.trim()
  switch (schema.type) {
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : undefined
    case 'array':
      return checked(schema, entriesOf(trimmed))
    case 'integer':
    case 'number':
      if (schema.unit !== undefined) return fromUnit(schema, trimmed)
      return /^-?\d+(\.\d+)?$/.test(trimmed) ? checked(schema, Number(trimmed)) : undefined
    default:
      return checked(schema, trimmed)
  }
}

/** The entries of a list that is written as text. */
const entriesOf = (text: string): string[] =>
  text.trim() === '' ? [] : text.split(',').map(entry => entry.trim())

/** The value as TOML or a program gives it, or undefined when it breaks the rule. */
export function valueFromRaw(schema: ValueSchema, raw: unknown): ConfigValue | undefined {
  if (schema.unit === undefined) return checked(schema, raw)
  if (typeof raw === 'string') return fromUnit(schema, raw.trim())
  // A bare number of bytes is a size; a bare number would leave the unit of a duration to guess.
  return schema.unit === 'duration' && raw !== 0 ? undefined : checked(schema, raw)
}

function fromUnit(schema: ValueSchema, text: string): ConfigValue | undefined {
  try {
    return checked(schema, UNITS[schema.unit!].parse(text))
  } catch {
    // The parser's message names the general rule; the caller states the key's own.
    return undefined
  }
}

/** `value` if it is of the schema's type and within its bounds. */
function checked(schema: ValueSchema, value: unknown): ConfigValue | undefined {
  if (schema.enum !== undefined) return schema.enum.includes(value as string) ? (value as string) : undefined
  switch (schema.type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'integer':
    case 'number':
      return isNumberWithin(schema, value) ? value : undefined
    case 'string':
      return matches(schema, value) ? value : undefined
    default:
      return isListOf(schema, value) ? value : undefined
  }
}

function isNumberWithin(schema: ValueSchema, value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (schema.type === 'integer' && !Number.isSafeInteger(value)) return false
  if (value === 0 && schema.orZero === true) return true
  return value >= schema.minimum! && value <= schema.maximum!
}

function matches(schema: ValueSchema, value: unknown): value is string {
  return typeof value === 'string' && brokenRule(schema, value) === undefined
}

/** The words of the first pattern that a text does not fit. */
const brokenRule = ({ pattern, rule, allOf = [] }: ValueSchema, text: string): string | undefined =>
  [{ pattern: pattern!, rule: rule! }, ...allOf].find(one => !new RegExp(one.pattern, 'u').test(text))?.rule

function isListOf(schema: ValueSchema, value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= schema.maxItems! &&
    value.every(entry => matches(schema.items!, entry))
  )
}

/** The first entry of a list that breaks a rule, with the words of that; undefined when it is no list of texts, or a longer one than may be. */
export function badEntry(schema: ValueSchema, raw: unknown): { entry: string; rule: string } | undefined {
  if (schema.type !== 'array') return undefined
  const entries: unknown[] = typeof raw === 'string' ? entriesOf(raw) : Array.isArray(raw) ? raw : []
  if (entries.length > schema.maxItems!) return undefined
  for (const entry of entries) {
    if (typeof entry !== 'string') return undefined
    const rule = brokenRule(schema.items!, entry)
    if (rule !== undefined) return { entry, rule: rule === schema.items!.rule ? ruleOf(schema) : rule }
  }
  return undefined
}

/** The rule of a value in words: the end of the sentence "it must be …". */
export function ruleOf(schema: ValueSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a list (at most ${schema.maxItems}) of ${schema.items!.rule}`
    case 'integer':
    case 'number':
      return numberRule(schema)
    default:
      return schema.rule!
  }
}

function numberRule(schema: ValueSchema): string {
  const { unit, minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema
  const noun =
    unit === undefined ? (schema.type === 'integer' ? 'a whole number' : 'a number') : UNITS[unit].rule
  const write = (value: number): string => (unit === undefined ? String(value) : UNITS[unit].format(value))
  const bounds: string[] = []
  if (minimum > 0 || unit === undefined) bounds.push(`at least ${write(minimum)}`)
  if (maximum < Number.MAX_SAFE_INTEGER) bounds.push(`at most ${write(maximum)}`)
  return [noun, ...bounds].join(', ') + (schema.orZero === true ? ', or 0' : '')
}

/** The value as a person writes it: `5m`, `10MiB`, `true`, `a,b`. */
export function formatValue(schema: ValueSchema, value: ConfigValue): string {
  if (schema.unit !== undefined && typeof value === 'number') return UNITS[schema.unit].format(value)
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** The value as it stands in config.toml: `"5m"`, `300`, `true`, `["a", "b"]`. */
export function formatToml(schema: ValueSchema, value: ConfigValue): string {
  if (Array.isArray(value)) return `[${value.map(entry => JSON.stringify(entry)).join(', ')}]`
  if (typeof value === 'string' || schema.unit !== undefined)
    return JSON.stringify(formatValue(schema, value))
  return String(value)
}
