/** `npm run check`: exits 1 and names every import that breaks a rule of imports/rules.ts. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readSources } from './imports/read.ts'
import { checkImports, PRODUCT_FOLDERS } from './imports/rules.ts'

const ROOT = resolve(import.meta.dirname, '..')
const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>
}
const files = readSources(ROOT, [...PRODUCT_FOLDERS, 'scripts', 'test', 'bench'])
const violations = checkImports(files, new Set(Object.keys(dependencies)))
for (const { path, line, rule, message } of violations) console.error(`${path}:${line} ${rule}: ${message}`)
console.log(`imports: ${files.length} files, ${violations.length} violations`)
if (violations.length > 0) process.exitCode = 1
