/** `npm run check`: the rules of CONTRIBUTING.md that no linter knows. Exits 1 and names what breaks them. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PRODUCT_FOLDERS } from './imports/rules.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** A file has one subject; longer ones have two. */
const MAX_FILE_LINES = 400
/** One row per error code and its sentences: a table, not code. */
const LONG_TABLES: ReadonlySet<string> = new Set(['base/errors.ts'])
/** Least length of the paragraph that opens an index.ts. */
const MIN_INDEX_PARAGRAPH_CHARS = 150

const folders = [...PRODUCT_FOLDERS, 'scripts', 'test', 'bench']
const paths = globSync(
  folders.map(folder => `${folder}/**/*.ts`),
  { cwd: ROOT, exclude: name => /(^|\/)node_modules$|\.d\.ts$/.test(name) }
).sort()

const problems: string[] = []
for (const path of paths) {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n')
  if (lines.length > MAX_FILE_LINES && !LONG_TABLES.has(path))
    problems.push(`${path}: ${lines.length} lines, at most ${MAX_FILE_LINES}`)
  const isOfProduct = PRODUCT_FOLDERS.some(folder => path.startsWith(`${folder}/`))
  const isShared = path.startsWith('test/') && !path.endsWith('.test.ts')
  lines.forEach((line, index) => {
    if (isShared && /^(before|after)(Each|All)\(/.test(line))
      problems.push(
        `${path}:${index + 1}: a hook in a module that several files share runs for the first of them only`
      )
    if (isOfProduct && /^(?!\s*\*).*AbortSignal\.timeout\(/.test(line))
      problems.push(
        `${path}:${index + 1}: AbortSignal.timeout; timeoutSignal does not leak (base/timeout-signal.ts)`
      )
    const mark = /(?:\/\/|\/\*|^\s*\*)\s*(TODO|FIXME|XXX|HACK)\b/.exec(line)?.[1]
    if (mark !== undefined) problems.push(`${path}:${index + 1}: ${mark}; finish it or file it`)
  })
}
for (const folder of PRODUCT_FOLDERS.filter(name => globSync(`${name}/**/*.ts`, { cwd: ROOT }).length > 0)) {
  const path = join(ROOT, folder, 'index.ts')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const paragraph = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? ''
  if (paragraph.length < MIN_INDEX_PARAGRAPH_CHARS)
    problems.push(
      `${folder}/index.ts opens with a paragraph: what the part does, what it does not, data in and out`
    )
}
for (const problem of problems) console.error(problem)
console.log(`style: ${paths.length} files, ${problems.length} problems`)
if (problems.length > 0) process.exitCode = 1
