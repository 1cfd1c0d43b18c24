/**
 * The places a setting can come from: file, environment, flags. Each is read as a whole: what is right becomes
 * settings, what is wrong becomes problems, and nothing is thrown, so that all problems are reported together.
 */
import { parse, TomlError } from 'smol-toml'
import { CONFIG_KEYS, type ConfigKey, KEYS_BY_ENV } from './keys.ts'
import { nearest } from './nearest.ts'
import { badValue, type ConfigProblem, MAX_FILE_PROBLEMS, unknownConfigKey, unknownKey } from './problems.ts'
import type { ConfigValue } from './schema/builders.ts'
import { type TomlStatement, tomlStatements } from './toml-statements.ts'
import { valueFromRaw, valueFromText } from './values.ts'

export interface Setting {
  readonly key: ConfigKey
  readonly value: ConfigValue
  readonly origin: string
}

/** What one place says. */
export interface Source {
  readonly settings: Setting[]
  readonly problems: ConfigProblem[]
  readonly warnings: string[]
}

/** Variables that start like settings and are none: where the home is, and the passphrases of the keyring and of a PEM. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'CATALOG_HOME',
  'CATALOG_PASSPHRASE',
  'CATALOG_PEM_PASSPHRASE'
])
/** The table of a file that later releases give a meaning. */
const RESERVED_TABLE = 'plugins'
/** Deepest nesting of a file; ours has two levels, plugins may have more. */
const MAX_TOML_DEPTH = 32

const emptySource = (): Source => ({ settings: [], problems: [], warnings: [] })

/** Adds the setting, or the problem when the value could not be read. */
function add(
  source: Source,
  key: ConfigKey,
  value: ConfigValue | undefined,
  raw: unknown,
  origin: string
): void {
  if (value === undefined) source.problems.push(badValue(key, raw, origin))
  else source.settings.push({ key, value, origin })
}

/** A TOML text; `path` names it in origins: `file:/home/config.toml:12`. */
export function fileSource(text: string, path: string): Source {
  const source = emptySource()
  let document: Record<string, unknown>
  try {
    document = parse(text, { unsafeKeyBehaviour: 'throw', maxDepth: MAX_TOML_DEPTH })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    source.problems.push(syntaxProblem(error, path))
    return source
  }
  const statements = tomlStatements(text)
  for (const [section, content] of Object.entries(document)) {
    if (section === RESERVED_TABLE) {
      source.warnings.push(`[${RESERVED_TABLE}] (file:${path}) is reserved: no effect before plugins`)
      continue
    }
    for (const [written, raw] of entriesOf(section, content)) {
      if (source.problems.length >= MAX_FILE_PROBLEMS) return source
      const origin = `file:${path}${lineOf(statements, written)}`
      const key = CONFIG_KEYS.get(written)
      if (key === undefined) source.problems.push(unknownConfigKey(written, raw, origin))
      else add(source, key, valueFromRaw(key.schema, raw), raw, origin)
    }
  }
  return source
}

function syntaxProblem(error: TomlError, path: string): ConfigProblem {
  const [what] = error.message.split('\n')
  const origin = `file:${path}:${error.line}`
  return { code: 'CONFIG_SYNTAX', origin, message: `${what} (${origin}, column ${error.column})` }
}

/** The keys that a top-level entry stands for: those of a section, or itself where it is none. */
function entriesOf(section: string, content: unknown): [written: string, raw: unknown][] {
  const isTable =
    typeof content === 'object' && content !== null && !Array.isArray(content) && !(content instanceof Date)
  const names = isTable ? Object.entries(content) : []
  if (names.length === 0 && !(isSection(section) && isTable)) return [[section, content]]
  return names.flatMap(([name, raw]): [string, unknown][] => {
    const written = `${section}.${name}`
    return isSection(written) ? entriesOf(written, raw) : [[written, raw]]
  })
}

const isSection = (name: string): boolean => [...CONFIG_KEYS.values()].some(key => key.section === name)

/** `:12` for the line on which the key, or the inline table or header that holds it, stands. */
function lineOf(statements: readonly TomlStatement[], written: string): string {
  let best: TomlStatement | undefined
  for (const statement of statements) {
    const path = statement.path.join('.')
    const holds = written === path || written.startsWith(`${path}.`)
    if (holds && (best === undefined || statement.path.length >= best.path.length)) best = statement
  }
  return best === undefined ? '' : `:${best.line}`
}

/**
 * The `CATALOG_*` variables. A name that no key has is a problem when it begins like a section (`CATALOG_STORE_…`), and
 * only a warning otherwise: other programs may own variables of such a name.
 */
export function envSource(env: Readonly<Record<string, string | undefined>>): Source {
  const source = emptySource()
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith('CATALOG_') || OTHER_VARIABLES.has(variable)) continue
    const origin = `env:${variable}`
    const key = KEYS_BY_ENV.get(variable)
    if (key !== undefined) add(source, key, valueFromText(key.schema, text), text, origin)
    else if (beginsLikeSection(variable))
      source.problems.push(unknownKey(variable, text, origin, KEYS_BY_ENV.keys()))
    else source.warnings.push(strangeVariable(variable))
  }
  return source
}

function beginsLikeSection(variable: string): boolean {
  return [...CONFIG_KEYS.values()].some(({ section }) =>
    variable.startsWith(`CATALOG_${section.toUpperCase()}_`)
  )
}

function strangeVariable(variable: string): string {
  const meant = nearest(variable, KEYS_BY_ENV.keys())
  return `${variable} is no setting of Catalog and is ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

/** Flags by key: text as typed after `--set key=`, or a value as a program gives it. `origin`: what problems call them. */
export function flagSource(flags: Readonly<Record<string, unknown>>, origin = 'flag'): Source {
  const source = emptySource()
  for (const [written, raw] of Object.entries(flags)) {
    const key = CONFIG_KEYS.get(written)
    if (key === undefined) {
      source.problems.push(unknownConfigKey(written, raw, origin))
      continue
    }
    const value = typeof raw === 'string' ? valueFromText(key.schema, raw) : valueFromRaw(key.schema, raw)
    add(source, key, value, raw, origin)
  }
  return source
}
