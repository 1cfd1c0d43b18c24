import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import { CatalogError } from '../base/index.ts'
import type { ConfigKey } from './keys.ts'
import { throwProblems } from './problems.ts'
import type { ConfigValue } from './schema/builders.ts'
import { fileSource, flagSource } from './sources.ts'
import { type TomlStatement, tomlStatements } from './toml-statements.ts'
import { formatToml } from './values.ts'

/** What an error calls a value that is about to be written. */
const ORIGIN = 'new value'

/** A value written as after `--set key=`. Throws the errors of loadConfig for a wrong key or value. */
export function configValue(key: string, text: string): ConfigValue {
  const { problems, settings } = flagSource({ [key]: text }, ORIGIN)
  throwProblems(problems)
  return settings[0]!.value
}

/**
 * The text of a configuration file with `key` set to `value` (written as after `--set key=`), everything else as it
 * was, comments included. A key that is not there yet goes below its commented-out line, else to the end of its
 * section, else into a new section. Throws the errors of loadConfig for a wrong key, value or text.
 */
export function setConfigValue(fileText: string, key: string, value: string): string {
  const flags = flagSource({ [key]: value }, ORIGIN)
  throwProblems([...flags.problems, ...fileSource(fileText, 'config.toml').problems])
  const setting = flags.settings[0]!
  const edited = withStatement(fileText, setting.key, formatToml(setting.key.schema, setting.value))
  verifyEdit(fileText, edited, setting.key)
  return edited
}

function withStatement(text: string, key: ConfigKey, value: string): string {
  const statements = tomlStatements(text)
  const present = statements.find(
    statement => statement.kind === 'value' && statement.path.join('.') === key.key
  )
  if (present !== undefined) return text.slice(0, present.valueStart) + value + text.slice(present.valueEnd)
  const depth = key.section.split('.').length
  const inSection = statements.filter(({ path }) => path.slice(0, depth).join('.') === key.section)
  const header = inSection.find(({ kind, path }) => kind === 'table' && path.length === depth)
  if (header !== undefined) {
    const end = endOfSection(text, statements, header)
    const section = text.slice(header.end, end)
    const commented = new RegExp(`^[ \\t]*#[ \\t]*${key.name}[ \\t]*=.*$`, 'm').exec(section)
    const last = inSection.findLast(({ start }) => start >= header.start && start < end)!
    const at = commented === null ? last.end : header.end + commented.index + commented[0].trimEnd().length
    return insertLine(text, at, `${key.name} = ${value}`)
  }
  const dotted = inSection.findLast(({ kind, path }) => kind === 'value' && path.length === depth + 1)
  if (dotted !== undefined) return insertLine(text, dotted.end, `${key.key} = ${value}`)
  const gap = text === '' ? '' : text.endsWith('\n') ? lineBreak(text) : lineBreak(text).repeat(2)
  return `${text}${gap}[${key.section}]${lineBreak(text)}${key.name} = ${value}${lineBreak(text)}`
}

/** The offset at which the next table begins. */
function endOfSection(text: string, statements: readonly TomlStatement[], header: TomlStatement): number {
  return statements.find(({ kind, start }) => kind === 'table' && start > header.start)?.start ?? text.length
}

const lineBreak = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** A new line after the line that ends at `at`. */
function insertLine(text: string, at: number, line: string): string {
  return `${text.slice(0, at)}${lineBreak(text)}${line}${text.slice(at)}`
}

/** A document without one value; the tables above it are there, if only empty. */
function without(table: Record<string, unknown>, [first = '', ...path]: string[]): Record<string, unknown> {
  const { [first]: value, ...rest } = table
  return path.length === 0 ? rest : { ...rest, [first]: without((value ?? {}) as typeof table, path) }
}

/** An edit of text is trusted only when reading it gives the old document with this one key changed. */
function verifyEdit(before: string, after: string, key: ConfigKey): void {
  const strip = (text: string): unknown => {
    return without(parse(text), [...key.section.split('.'), key.name])
  }
  try {
    if (
      isDeepStrictEqual(strip(before), strip(after)) &&
      fileSource(after, 'config.toml').problems.length === 0
    )
      return
  } catch {
    // Not even TOML any more: reported below.
  }
  throw new CatalogError('CONFIG_SYNTAX', `${key.key} cannot be set without rewriting the file`, {
    hint: `write [${key.section}] as a table of its own, one key per line, and set ${key.name} there`
  })
}
