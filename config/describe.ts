/** The schema told to people and editors: rows for help and docs, the file that `catalog init` writes, JSON Schema. */
import { CONFIG_KEYS, CONFIG_SECTIONS, type ConfigKey, type ValueSchema } from './keys.ts'
import type { Config } from './schema/index.ts'
import { formatToml, formatValue, ruleOf } from './values.ts'

/** One key as help, docs and `catalog config docs` show it; all values as a person writes them. */
export interface ConfigRow {
  readonly key: string
  readonly env: string
  readonly default: string
  /** Defaults that differ, by profile. */
  readonly profiles: Readonly<Record<string, string>>
  readonly rule: string
  readonly description: string
}

export function describeConfig(): ConfigRow[] {
  return [...CONFIG_KEYS.values()].map(({ key, env, schema, default: fallback }) => ({
    key,
    env,
    default: formatValue(schema, fallback),
    profiles: Object.fromEntries(
      Object.entries(schema.profiles ?? {}).map(([profile, value]) => [profile, formatValue(schema, value)])
    ),
    rule: ruleOf(schema),
    description: fullDescription(schema)
  }))
}

function fullDescription({ description = '', reservedFor }: ValueSchema): string {
  return reservedFor === undefined ? description : `${description} Reserved: no effect before ${reservedFor}.`
}

/** One effective value as a person writes it (`5m`, `10MiB`), for `catalog config show`. */
export function formatConfigValue(key: string, values: Config): string {
  const known = CONFIG_KEYS.get(key)
  if (known === undefined) return ''
  const section = values[known.section as keyof Config] as Record<string, Parameters<typeof formatValue>[1]>
  return formatValue(known.schema, section[known.name]!)
}

/** Longest comment line of the template. */
const MAX_COMMENT_CHARS = 100

/**
 * The config.toml that `catalog init` writes: every key commented out at its default, so that a later release can
 * change a default that nobody chose. Reserved keys are left out.
 */
export function configTemplate(): string {
  const lines = [
    '# Configuration of a Catalog node. Every line that is commented out shows a default.',
    '# Rules and all keys: docs/configuration.md, or `catalog config docs`. Check: `catalog config validate FILE`.'
  ]
  for (const { section, description } of CONFIG_SECTIONS) {
    const keys = [...CONFIG_KEYS.values()].filter(key => key.section === section)
    const live = keys.filter(({ schema }) => schema.reservedFor === undefined)
    if (live.length === 0) continue
    lines.push('', ...comment(description), `[${section}]`)
    for (const key of live) lines.push(...comment(key.schema.description ?? ''), templateLine(key))
  }
  return `${lines.join('\n')}\n`
}

function templateLine({ name, schema, default: fallback }: ConfigKey): string {
  return `# ${name} = ${formatToml(schema, fallback)}`
}

/** A sentence as comment lines, broken between words. */
function comment(sentence: string): string[] {
  const lines: string[] = []
  let line = '#'
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > MAX_COMMENT_CHARS) {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

interface SectionJsonSchema {
  type: 'object'
  description: string
  additionalProperties: false
  properties: Record<string, object>
}

/** JSON Schema of config.toml for editors: values as they are written, unknown keys refused. */
export function configJsonSchema(): object {
  const sections = new Map<string, SectionJsonSchema>()
  for (const { section, description } of CONFIG_SECTIONS) {
    const keys = [...CONFIG_KEYS.values()].filter(key => key.section === section)
    const properties: SectionJsonSchema['properties'] = Object.fromEntries(
      keys.map(key => [key.name, writtenSchema(key)])
    )
    const schema: SectionJsonSchema = {
      type: 'object',
      description,
      additionalProperties: false,
      properties
    }
    // `store.s3` is a table in the table `store`, which stands before it.
    const [outer = '', inner] = section.split('.')
    if (inner === undefined) sections.set(section, schema)
    else sections.get(outer)!.properties[inner] = schema
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of a Catalog node',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(sections),
      plugins: { type: 'object', description: 'Reserved: no effect before plugins.' }
    }
  }
}

function writtenSchema({ schema, default: fallback }: ConfigKey): object {
  const description = `${fullDescription(schema)} It must be ${ruleOf(schema)}.`
  if (schema.unit !== undefined) {
    const type = schema.unit === 'duration' ? 'string' : ['string', 'integer']
    return { type, description, default: formatValue(schema, fallback), pattern: '^\\d' }
  }
  const { enum: choices, minimum, maximum, maxItems, pattern, type, items } = schema
  const bounds = { enum: choices, minimum, maximum, maxItems, pattern, type }
  const present = Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined))
  const item = items === undefined ? {} : { items: writtenEntry(items) }
  return { ...present, ...item, description, default: fallback }
}

function writtenEntry({ pattern, allOf = [] }: ValueSchema): object {
  const further = allOf.map(({ pattern, rule }) => ({ pattern, description: `${rule}.` }))
  return { type: 'string', pattern, ...(further.length === 0 ? {} : { allOf: further }) }
}
