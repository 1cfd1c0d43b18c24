import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import type { Import, SourceFile } from './rules.ts'

/** The sources below `folders` of `root` with what they import. Throws on a file that does not parse. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return globSync(
    folders.map(folder => `${folder}/**/*.ts`),
    { cwd: root, exclude: name => /(^|\/)(node_modules|dist)$|\.d\.ts$/.test(name) }
  )
    .sort()
    .map(path => ({ path, imports: readImports(path, readFileSync(join(root, path), 'utf8')) }))
}

export function readImports(path: string, source: string): Import[] {
  const { module, program, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`)
  const imports: Import[] = []
  const add = (specifier: string, offset: number, isTypeOnly: boolean): void => {
    imports.push({ specifier, line: source.slice(0, offset).split('\n').length, isTypeOnly })
  }
  for (const { moduleRequest, entries, start } of module.staticImports)
    add(moduleRequest.value, start, entries.length > 0 && entries.every(entry => entry.isType))
  for (const { entries, start } of module.staticExports) {
    const [first] = entries.filter(entry => entry.moduleRequest !== null)
    if (first !== undefined)
      add(
        first.moduleRequest!.value,
        start,
        entries.every(entry => entry.isType)
      )
  }
  new Visitor({
    ImportExpression: ({ source: from, start }) => {
      if (from.type === 'Literal' && typeof from.value === 'string') add(from.value, start, false)
    },
    TSImportType: ({ source: from, start }) => add(from.value, start, true)
  }).visit(program)
  return imports
}
