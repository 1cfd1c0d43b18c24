import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const PROJECT = resolve(import.meta.dirname, '../../..')

/** A Node on this machine that is too old for Catalog, to play the one that `npx` would use. */
function findOldNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'node'))
  return [...new Set(candidates.filter(existsSync).map(path => realpathSync(path)))].find(path => {
    const [major = 0, minor = 0] = execFileSync(path, ['--version'], { encoding: 'utf8' })
      .slice(1)
      .split('.')
      .map(Number)
    return major < 24 || (major === 24 && minor < 15)
  })
}

const OLD_NODE = findOldNode()
if (OLD_NODE === undefined)
  console.log('no Node older than 24.15 on PATH: the hand-over of the launcher is not tested')

let root: string
let launcher: string

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')))
  mkdirSync(join(root, 'bin'))
  mkdirSync(join(root, 'cli'))
  launcher = join(root, 'bin/catalog.cjs')
  cpSync(join(PROJECT, 'bin/catalog.cjs'), launcher)
})
afterEach(() => rmSync(root, { recursive: true }))

const writeEntry = (source: string): void => writeFileSync(join(root, 'cli/main.ts'), source)

function bringNode(): void {
  mkdirSync(join(root, 'node_modules'))
  symlinkSync(join(PROJECT, 'node_modules/node'), join(root, 'node_modules/node'))
}

const run = (node: string, ...args: string[]) =>
  spawnSync(node, [launcher, ...args], { encoding: 'utf8', input: 'in' })

const ECHO = `
  const input: string = await new Promise(resolve => process.stdin.once('data', data => resolve(String(data))))
  console.log(JSON.stringify([process.version, input, ...process.argv.slice(1)]))
  process.exit(7)
`

describe('the launcher', () => {
  test('runs the source in a Node that fits: arguments, input, exit status', () => {
    writeEntry(ECHO)
    const { stdout, status } = run(process.execPath, 'id', '--json')
    expect(JSON.parse(stdout)).toEqual([process.version, 'in', join(root, 'cli/main.ts'), 'id', '--json'])
    expect(status).toBe(7)
  })

  test('prefers the bundle', () => {
    writeEntry('console.log("source")')
    mkdirSync(join(root, 'dist'))
    writeFileSync(join(root, 'dist/catalog.cjs'), 'exports.start = () => console.log("bundle")')
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    expect(run(process.execPath).stdout).toBe('bundle\n')
  })

  test('says when there is nothing to run', () => {
    const { stderr, status } = run(process.execPath)
    expect(stderr).toContain('install Catalog again')
    expect(status).toBe(1)
  })

  test.skipIf(OLD_NODE === undefined)(
    'hands over to the Node beside it: arguments, input, exit status',
    () => {
      writeEntry(ECHO)
      bringNode()
      const { stdout, status } = run(OLD_NODE!, 'id', '--json')
      expect(JSON.parse(stdout)).toEqual([process.version, 'in', join(root, 'cli/main.ts'), 'id', '--json'])
      expect(status).toBe(7)
    }
  )

  test.skipIf(OLD_NODE === undefined)(
    'passes signals on, and a death by signal as 128 + its number',
    async () => {
      bringNode()
      writeEntry(`
      process.on('SIGTERM', () => { console.log('asked'); process.kill(process.pid, 'SIGKILL') })
      setInterval(() => undefined, 1000)
      console.log('ready')
    `)
      const child = spawn(OLD_NODE!, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exit = once(child, 'exit')
      let output = ''
      for await (const data of child.stdout) {
        output += String(data)
        if (output === 'ready\n') child.kill('SIGTERM')
      }
      expect(output).toBe('ready\nasked\n')
      const [code, signal] = await exit
      // Where the launcher became the other Node there is no parent left to translate.
      expect(signal === 'SIGKILL' || code === 137).toBe(true)
    }
  )

  test.skipIf(OLD_NODE === undefined)('says what to do when no Node fits', () => {
    writeEntry(ECHO)
    const { stderr, status } = run(OLD_NODE!)
    expect(stderr).toMatch(/^catalog: UNSUPPORTED: this is Node \d+\..*needs 24\.15 or later/)
    expect(status).toBe(1)
  })
})

test('the launcher parses in any Node that npm supports', () => {
  execFileSync(OLD_NODE ?? process.execPath, ['--check', launcher])
})
