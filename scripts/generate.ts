/**
 * Makes `messages.js` and `messages.d.ts` beside each `messages.proto` (`npm run generate -- [folder or file…]`; all of
 * the project's without arguments; `--check` only reports drift and exits 1). protons emits TypeScript with `enum` and
 * `namespace`, which Node cannot strip, so its output is compiled by tsc and both results are checked in.
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = resolve(import.meta.dirname, '..')
const PROTO = 'messages.proto'
const PRODUCTS = ['messages.js', 'messages.d.ts']
/** Inside node_modules, so that the compiler resolves `protons-runtime` from there as from the real place. */
const CACHE = join(ROOT, 'node_modules/.cache/catalog-generate')

/** The .proto files meant by the arguments, absolute. */
function protoFiles(args: string[]): string[] {
  const folders = args.length === 0 ? [ROOT] : args.map(arg => resolve(arg))
  return folders.flatMap(path => {
    if (!existsSync(path)) throw new Error(`${path} does not exist`)
    if (!statSync(path).isDirectory()) {
      if (basename(path) !== PROTO)
        throw new Error(`${path}: name the file ${PROTO}, one in each protocol's folder`)
      return [path]
    }
    return globSync(`**/${PROTO}`, { cwd: path, exclude: name => /(^|\/)(node_modules|dist)$/.test(name) })
      .map(found => join(path, found))
      .sort()
  })
}

/** The text of both products of one .proto file, by file name. */
function generate(proto: string): Map<string, string> {
  if (/^\s*package\s/m.test(readFileSync(proto, 'utf8')))
    throw new Error(`${proto}: protons knows no \`package\`; leave the statement out`)
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'run-'))
  try {
    runNode('protons/dist/bin/protons.js', [proto, '--strict', '--output', folder])
    const source = join(folder, 'messages.ts')
    // Bytes may lie in any buffer: a field that insists on its own ArrayBuffer would refuse what Node hands out.
    writeFileSync(source, readFileSync(source, 'utf8').replaceAll('Uint8Array<ArrayBuffer>', 'Uint8Array'))
    runNode('typescript/bin/tsc', [
      ...['--ignoreConfig', '--target', 'es2024', '--module', 'nodenext', '--skipLibCheck', '--strict'],
      ...['--declaration', '--outDir', folder, source]
    ])
    const header = `// Made from ${PROTO} by \`npm run generate\`; change that file, not this one.\n`
    return new Map(PRODUCTS.map(name => [name, header + readFileSync(join(folder, name), 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function runNode(script: string, args: string[]): void {
  execFileSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit'
  })
}

/** Writes the products of `proto`, or with `check` only says which differ. Returns those that were not up to date. */
function update(proto: string, check: boolean): string[] {
  const stale: string[] = []
  for (const [name, text] of generate(proto)) {
    const path = join(dirname(proto), name)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    stale.push(relative(ROOT, path))
    if (!check) writeFileSync(path, text)
  }
  return stale
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const check = values.check === true
const stale = protoFiles(positionals).flatMap(proto => update(proto, check))
for (const path of stale) console.log(check ? `differs from its ${PROTO}: ${path}` : `wrote ${path}`)
if (check && stale.length > 0) {
  console.error('run `npm run generate` and commit the result')
  process.exitCode = 1
}
