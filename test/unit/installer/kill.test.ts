import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { InstallTarget } from '../../../library/index.ts'
import { remove, temporaryFolder, treeOf, versionItems } from './support.ts'

const CHILD = path.join(import.meta.dirname, 'install.child.ts')
/** Lines of the child after which it is killed: every part of an install, of the first one and of later ones. */
const KILL_AFTER_LINES = [1, 3, 9, 10, 11, 12, 13, 15, 22, 23, 24, 35, 36, 37]

let top: string
let dir: string
beforeEach(() => {
  top = temporaryFolder()
  dir = path.join(top, 'vendor')
})
afterEach(() => remove(top))

/** Runs the child and kills it as soon as it has said so many lines; returns the last whole install it reported. */
async function runAndKill(first: number, lines: number): Promise<{ committed: number; begun: number }> {
  const child = spawn(process.execPath, [CHILD, dir, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let seen = 0
  let begun = first
  let committed = first - 1
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('begin')) begun = Number(line.slice(6))
    if (line === 'committed') committed = begun
    if (++seen === lines) child.kill('SIGKILL')
  }
  await closed
  return { committed, begun }
}

/** Version of the installed folder, which must be one version whole; 0 when there is none. */
function installedVersion(): number {
  if (!existsSync(path.join(dir, 'tool'))) return 0
  const text = readFileSync(path.join(dir, 'tool/dir0/file0'), 'utf8')
  const version = Number(text.split(' ')[0])
  const expected = versionItems(version)
    .map(item => `${item.path} 644 ${item.bytes?.toString('base64')}`)
    .sort()
  expect(treeOf(path.join(dir, 'tool')).sort()).toEqual(expected)
  return version
}

function lockedVersion(): number {
  if (!existsSync(path.join(dir, 'catalog-lock.json'))) return 0
  const { packages } = JSON.parse(readFileSync(path.join(dir, 'catalog-lock.json'), 'utf8'))
  return Number(packages.tool.version.split('.')[0])
}

it('leaves the old state or the new one, whenever it is killed', { timeout: 120_000 }, async () => {
  let next = 1
  for (const lines of KILL_AFTER_LINES) {
    const { committed, begun } = await runAndKill(next, lines)
    const journal = existsSync(path.join(dir, '.catalog/journal.json'))
    const before = installedVersion()
    // Only between the two renames of a commit may a folder that was there be missing; the journal stands then.
    if (before === 0) expect(journal || committed < 1).toBe(true)
    if (!journal) expect(lockedVersion()).toBe(before)

    InstallTarget.open(dir).close()
    const after = installedVersion()
    expect(lockedVersion()).toBe(after)
    expect([after >= committed, after <= begun + 1]).toEqual([true, true])
    const leftovers = existsSync(path.join(dir, '.catalog')) ? readdirSync(path.join(dir, '.catalog')) : []
    expect(leftovers).toEqual(after === 0 ? [] : ['installed.json'])
    next = after + 1
  }
  expect(next).toBeGreaterThan(2)
})
