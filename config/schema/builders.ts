/**
 * The vocabulary in which the configuration is described: one builder per kind of value. Each returns a TypeBox schema
 * of the *effective* value (durations in milliseconds, sizes in bytes, rates in bytes per second) that carries what
 * Catalog adds to JSON Schema: the unit it is written in, overrides per profile, and what a reserved key waits for.
 */
import { Array as ArrayOf, Boolean as Bool, Enum, Integer, Number as Num, String as Text } from 'typebox'
import { parseDuration, parseSize } from '../../base/index.ts'

/** How a number is written in files, environment and flags. */
export type Unit = 'duration' | 'size' | 'rate'

/** Named sets of overrides, chosen with `network.profile`. `standard` overrides nothing. */
export const PROFILES = ['standard', 'local', 'server'] as const
export type Profile = (typeof PROFILES)[number]

export type ConfigValue = boolean | number | string | string[]

/** What every key states beside its type. `T` is the type in which a person writes the value. */
interface KeyOptions<T> {
  readonly default: T
  /** One or two sentences for help and docs. */
  readonly description: string
  /** Values that differ in a profile. */
  readonly profiles?: Partial<Record<Profile, T>>
  /** Set on keys whose feature is designed and not built: what the key has no effect before. */
  readonly reservedFor?: string
}

interface RangeOptions<T> extends KeyOptions<T> {
  readonly min?: T
  readonly max?: T
}

/** A pattern and its words: the sentence that an error and the docs give. */
export interface PatternOptions {
  readonly pattern: string
  readonly rule: string
}

type Parse = (text: string) => number

/** Options of a number that is written as text with a unit. */
function numeric(unit: Unit, parse: Parse, options: RangeOptions<string>) {
  const { min = '0', max, profiles = {}, ...rest } = options
  const parsed = Object.entries(profiles).map(([profile, text]) => [profile, parse(text)])
  return {
    ...rest,
    unit,
    default: parse(options.default),
    minimum: parse(min),
    maximum: max === undefined ? Number.MAX_SAFE_INTEGER : parse(max),
    profiles: Object.fromEntries(parsed) as Partial<Record<Profile, number>>
  }
}

export const duration = (options: RangeOptions<string>) =>
  Integer(numeric('duration', parseDuration, options))
export const size = (options: RangeOptions<string> & { readonly orZero?: boolean }) =>
  Integer(numeric('size', parseSize, options))
/** Bytes per second; 0 is no limit. */
export const rate = (options: RangeOptions<string> & { readonly orZero?: boolean }) =>
  Integer(numeric('rate', parseSize, options))

export const integer = ({ min, max, ...rest }: RangeOptions<number>) =>
  Integer({ ...rest, minimum: min ?? 0, maximum: max ?? Number.MAX_SAFE_INTEGER })
export const fraction = (options: KeyOptions<number>) => Num({ ...options, minimum: 0, maximum: 1 })
export const flag = (options: KeyOptions<boolean>) => Bool({ ...options })
export const text = (options: KeyOptions<string> & PatternOptions) => Text({ ...options })
export const choice = <const V extends string[]>(values: readonly [...V], options: KeyOptions<V[number]>) =>
  Enum(values, { ...options })

/** Entries of a list at most: more is a mistake, and every entry costs dials or memory. */
export const MAX_LIST_ENTRIES = 256

interface ListOptions {
  readonly maxItems?: number
  /** What an entry that fits the pattern must keep too, each told by itself when it does not. */
  readonly further?: readonly PatternOptions[]
}

export const list = ({
  pattern,
  rule,
  further = [],
  maxItems = MAX_LIST_ENTRIES,
  ...rest
}: KeyOptions<string[]> & PatternOptions & ListOptions) =>
  ArrayOf(Text({ pattern, rule, allOf: further }), { ...rest, maxItems })
