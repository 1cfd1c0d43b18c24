import { CatalogError, type ErrorCode } from '../base/index.ts'
import { CONFIG_KEYS, type ConfigKey } from './keys.ts'
import { nearest } from './nearest.ts'
import { badEntry, ruleOf } from './values.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  readonly code: ErrorCode & `CONFIG_${string}`
  /** Where it stands: `file:/path:12`, `env:NAME`, `flag`; `new value` of one that is about to be written. */
  readonly origin: string
  readonly message: string
  readonly key?: string
  /** The value as written. */
  readonly value?: string
  readonly rule?: string
  /** The valid key that was probably meant. */
  readonly nearest?: string
}

/** Longest part of a bad value that an error repeats. */
const MAX_SHOWN_VALUE_CHARS = 200

/** Reading a file stops after as many problems: nobody corrects more at once, and each costs a search for its nearest key. */
export const MAX_FILE_PROBLEMS = 100

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.length <= MAX_SHOWN_VALUE_CHARS ? text : `${text.slice(0, MAX_SHOWN_VALUE_CHARS)}…`
}

/** `written` is the key as it stands there, which for the environment is not `key`. */
export function unknownKey(
  written: string,
  value: unknown,
  origin: string,
  known: Iterable<string>,
  fallback?: string
): ConfigProblem {
  const suggestion = nearest(written, known) ?? fallback
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  return {
    code: 'CONFIG_UNKNOWN_KEY',
    origin,
    key: written,
    value: shown(value),
    rule: 'a key of docs/configuration.md',
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
    message: `unknown key ${shown(written)} (${origin})${meant}`
  }
}

/** An unknown key of a file or flag. A name without its section (`quota`) and a section alone (`mdns`) are recognised too. */
export function unknownConfigKey(written: string, value: unknown, origin: string): ConfigProblem {
  const name = written.slice(written.lastIndexOf('.') + 1)
  const keys = [...CONFIG_KEYS.values()]
  const namesake = keys.find(key => key.name === name) ?? keys.find(key => key.section === name)
  return unknownKey(written, value, origin, CONFIG_KEYS.keys(), namesake?.key)
}

export function badValue({ key, schema }: ConfigKey, value: unknown, origin: string): ConfigProblem {
  const bad = badEntry(schema, value)
  const rule = bad?.rule ?? ruleOf(schema)
  const isText = schema.type === 'array' && typeof value === 'string'
  const how = isText && rule === ruleOf(schema) ? ', with a comma between two' : ''
  const what = bad === undefined ? `is '${shown(value)}'` : `has '${shown(bad.entry)}'`
  return {
    code: 'CONFIG_BAD_VALUE',
    origin,
    key,
    value: shown(value),
    rule,
    message: `${key} ${what} (${origin}), but must be ${rule}${how}`
  }
}

/** Throws one error that reports all problems; its code is that of the first. Does nothing when there are none. */
export function throwProblems(problems: readonly ConfigProblem[]): void {
  const [first] = problems
  if (first === undefined) return
  const message =
    problems.length === 1
      ? first.message
      : `${problems.length} problems: ${problems.map(problem => problem.message).join('; ')}`
  const hint =
    first.code === 'CONFIG_SYNTAX'
      ? 'correct the line named; `catalog config validate` reads the file again'
      : 'correct the values named; docs/configuration.md and `catalog config docs` list every key and rule'
  throw new CatalogError(first.code, message, { hint, details: { problems } })
}
