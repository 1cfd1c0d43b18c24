/**
 * Records the bundle's code caches: starts a daemon on loopback with a home that is thrown away, and asks it something.
 * Where no daemon can be started there is no cache, and every start compiles.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Script } from 'node:vm'

const RECORDER = join(import.meta.dirname, 'record-code-cache.ts')
/** For each of the processes; they take a second at most where nothing else runs. */
const TIMEOUT_MS = 60_000
/** Both transports, as by default, but nobody else is reached. */
const LISTEN = ['--listen', '/ip4/127.0.0.1/udp/0/quic-v1', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']

/** What catalog.cjs of the bundle (scripts/bundle-start.cjs) exports. */
export interface BundleStart {
  readonly PROGRAM: string
  cachePathFor(argv: readonly string[]): string
  codeIn(path: string, source: string): Buffer | undefined
  compile(source: string, code: Buffer | undefined): Script
  headOf(source: string): string
  readProgram(): string
}

/** `start` is the bundle's catalog.cjs. Returns the caches that were made. */
export async function recordCodeCaches(start: string): Promise<Array<{ path: string; sizeBytes: number }>> {
  const { cachePathFor } = createRequire(import.meta.url)(start) as BundleStart
  const caches = { daemon: cachePathFor(['daemon']), command: cachePathFor([]) }
  const root = mkdtempSync(join(tmpdir(), 'catalog-build-'))
  try {
    await record(start, root, caches)
  } catch (error) {
    console.error(`without a code cache each start compiles: ${(error as Error).message}`)
    for (const path of Object.values(caches)) rmSync(path, { force: true })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  return Object.values(caches)
    .filter(path => existsSync(path))
    .map(path => ({ path, sizeBytes: statSync(path).size }))
}

type Caches = Record<'daemon' | 'command', string>

async function record(start: string, root: string, caches: Caches): Promise<void> {
  const home = join(root, 'home')
  await ended(run([RECORDER, start, join(root, 'init.codecache'), 'init', '--home', home, '--json']))
  const daemon = run([RECORDER, start, caches.daemon, 'daemon', '--home', home, '--json', ...LISTEN])
  try {
    await Promise.race([once(daemon.stdout!, 'data'), ended(daemon)])
    for (const command of [['--help'], ['status', '--home', home]])
      await ended(run([RECORDER, start, caches.command, ...command]))
  } finally {
    daemon.kill()
    await ended(daemon)
  }
}

const run = (args: string[]): ChildProcess =>
  spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })

/** Rejects with what it said when it ended badly. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const said = Promise.all([text(child.stdout!), text(child.stderr!)])
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}: ${(await said).join('')}`)
}
