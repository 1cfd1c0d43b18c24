import { readFileSync, statSync } from 'node:fs'
import { CatalogError, displaySize, MIB, toCatalogError } from '../base/index.ts'
import { configContradictions } from './contradictions.ts'
import { CONFIG_KEYS } from './keys.ts'
import { type ConfigProblem, throwProblems } from './problems.ts'
import { type ConfigValue, PROFILES, type Profile } from './schema/builders.ts'
import type { Config } from './schema/index.ts'
import { envSource, fileSource, flagSource, type Source } from './sources.ts'
import { configWarnings } from './warnings.ts'

/** Largest configuration file: a thousand times what all keys take. */
export const MAX_CONFIG_FILE_BYTES = MIB

export interface LoadConfigOptions {
  /** Path of config.toml; without it no file is read. */
  readonly file?: string
  /** What stands in that file, when it is not to be read: a change that is not written yet. */
  readonly text?: string
  /** Usually `process.env`; only `CATALOG_*` names matter. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** By key, as from `--set key=value` (text) or from a program (`true`, `['…']`). */
  readonly flags?: Readonly<Record<string, unknown>>
  /** Same as the flag `network.profile`. */
  readonly profile?: string
}

export interface LoadedConfig {
  readonly values: Config
  /** By key: `default`, `profile:server`, `file:/path:12`, `env:NAME` or `flag`. */
  readonly origins: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
}

/**
 * The effective configuration: defaults, overridden by the profile, the file, the environment and the flags, in this
 * order. Throws one CatalogError (CONFIG_UNKNOWN_KEY, CONFIG_BAD_VALUE or CONFIG_SYNTAX, after the first problem) whose
 * `details.problems` lists everything that is wrong.
 */
export function loadConfig(options: LoadConfigOptions = {}): LoadedConfig {
  const { file, text, env = {}, flags = {}, profile } = options
  const sources = [
    ...(file === undefined ? [] : [fileSource(text ?? readConfigFile(file), file)]),
    envSource(env),
    flagSource(profile === undefined ? flags : { ...flags, 'network.profile': profile })
  ]
  return combine(sources)
}

/**
 * What is wrong with the text of a configuration file, and what may not be meant. `path` only names it. With `env` its
 * `CATALOG_*` variables are checked too, as the daemon would. `furtherProblems` looks at what is right so far.
 */
export function validateConfigFile(
  text: string,
  path = 'config.toml',
  env: LoadConfigOptions['env'] = {},
  furtherProblems: (loaded: LoadedConfig) => readonly ConfigProblem[] = () => []
): { problems: readonly ConfigProblem[]; warnings: readonly string[] } {
  const sources = [fileSource(text, path), envSource(env)]
  const problems = sources.flatMap(source => source.problems)
  if (problems.length > 0) return { problems, warnings: sources.flatMap(source => source.warnings) }
  const merged = merge(sources)
  const contradictions = configContradictions(merged.values, merged.origins)
  return { problems: [...contradictions, ...furtherProblems(merged)], warnings: merged.warnings }
}

function combine(sources: readonly Source[]): LoadedConfig {
  throwProblems(sources.flatMap(source => source.problems))
  const merged = merge(sources)
  throwProblems(configContradictions(merged.values, merged.origins))
  return merged
}

/** What sources without problems come to. */
function merge(sources: readonly Source[]): LoadedConfig {
  const settings = sources.flatMap(source => source.settings)
  const profile = (settings.findLast(({ key }) => key.key === 'network.profile')?.value ??
    PROFILES[0]) as Profile
  const values = new Map<string, ConfigValue>()
  const origins = new Map<string, string>()
  for (const { key, default: fallback, schema } of CONFIG_KEYS.values()) {
    const override = schema.profiles?.[profile]
    values.set(key, override ?? fallback)
    origins.set(key, override === undefined ? 'default' : `profile:${profile}`)
  }
  for (const { key, value, origin } of settings) {
    values.set(key.key, value)
    origins.set(key.key, origin)
  }
  const config = nested(values)
  const warnings = [...sources.flatMap(source => source.warnings), ...configWarnings(config, origins)]
  return { values: config, origins, warnings }
}

/** Sections as objects. Every key of the schema is present and checked, so the result has its type. */
function nested(values: ReadonlyMap<string, ConfigValue>): Config {
  const config: Record<string, Record<string, ConfigValue>> = {}
  for (const { key, section, name } of CONFIG_KEYS.values()) {
    config[section] ??= {}
    config[section][name] = structuredClone(values.get(key)!)
  }
  return config as Config
}

function readConfigFile(path: string): string {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw new CatalogError('CONFIG_SYNTAX', `${path} is a folder, not a file`)
    const { size: sizeBytes } = stats
    if (sizeBytes > MAX_CONFIG_FILE_BYTES)
      throw new CatalogError(
        'LIMIT_EXCEEDED',
        `${path} has ${displaySize(sizeBytes)}; a configuration file has at most ${displaySize(MAX_CONFIG_FILE_BYTES)}`
      )
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CatalogError('NOT_FOUND', `there is no configuration file ${path}`, {
        hint: 'run `catalog init`, or give the right --home',
        cause: error
      })
    throw toCatalogError(error)
  }
}
