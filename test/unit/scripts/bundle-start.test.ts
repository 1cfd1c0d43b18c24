/** The start of a bundle, with a program of a few lines in place of the real one and the recorder of the build. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const SCRIPTS = resolve(import.meta.dirname, '../../../scripts')
const RECORDER = join(SCRIPTS, 'record-code-cache.ts')
const ONE = '1'.repeat(64)
const TWO = '2'.repeat(64)

let folder: string
let bundle: string
let cache: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-start-'))
  bundle = join(folder, 'catalog.cjs')
  cache = join(folder, 'command.codecache')
  copyFileSync(join(SCRIPTS, 'bundle-start.cjs'), bundle)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program with a function that is compiled only when it is called; both texts must be equally long. */
function writeProgram(hash: string, word: string, after = ''): void {
  const body = `function said(){return ${JSON.stringify(word)}+__filename.length*0}console.log(said())${after}`
  const head = '(typeof module==="object"?module:{}).exports='
  writeFileSync(join(folder, 'program.cjs'), `/*${hash}*/${head}(function(require,__filename){${body}})`)
}

function run(args: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout.trim()
}

const record = (...command: string[]): string => run([RECORDER, bundle, cache, ...command])

/** What V8 says of the cache in a process of its own. */
const verdict = (): string =>
  run([
    '-e',
    `const bundle = require(${JSON.stringify(bundle)})
     const source = bundle.readProgram()
     const code = bundle.codeIn(${JSON.stringify(cache)}, source)
     console.log(code === undefined ? 'not taken' : bundle.compile(source, code).cachedDataRejected ? 'refused' : 'taken')`
  ])

/** Size of a cache of the program as it is before it runs. */
const compiledOnlyBytes = (): number =>
  Number(
    run([
      '-e',
      `const bundle = require(${JSON.stringify(bundle)})
       const source = bundle.readProgram()
       console.log(bundle.headOf(source).length + bundle.compile(source).createCachedData().length)`
    ])
  )

test('what was recorded is taken, and knows the functions that ran', () => {
  writeProgram(ONE, 'first')
  expect(record('said')).toBe('first0')
  expect(verdict()).toBe('taken')
  expect(run([bundle])).toBe('first0')
  expect(statSync(cache).size).toBeGreaterThan(compiledOnlyBytes())
})

test('a command that begins with a cache adds to it', () => {
  writeProgram(ONE, 'first')
  record('said')
  const first = statSync(cache)
  record('said')
  expect(statSync(cache).size).toBeGreaterThanOrEqual(first.size)
  expect(statSync(cache).ino).not.toBe(first.ino)
  expect(verdict()).toBe('taken')
})

test('the cache of another program, as long as this one, is not taken', () => {
  writeProgram(ONE, 'first')
  record('said')
  writeProgram(TWO, 'other')
  expect(verdict()).toBe('not taken')
  expect(run([bundle])).toBe('other0')
})

test('without a cache the program runs all the same, and Node keeps what it compiled', () => {
  writeProgram(ONE, 'first')
  expect(run([bundle])).toBe('first0')
  expect(existsSync(join(folder, 'compile-cache'))).toBe(true)
})

test('a daemon is recorded when it says that it is ready, in a cache of its own', () => {
  writeProgram(ONE, 'ready', ';process.kill(process.pid,"SIGKILL")')
  cache = join(folder, 'daemon.codecache')
  const { stdout } = spawnSync(process.execPath, [RECORDER, bundle, cache, 'daemon'], { encoding: 'utf8' })
  expect(stdout).toBe('ready0\n')
  expect(verdict()).toBe('taken')
  expect(existsSync(join(folder, 'command.codecache'))).toBe(false)
})
