/** The daemon as a process: what its surroundings do to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, watch } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { cliOk } from './support/cli.ts'
import { TestNet } from './support.ts'

/** Generous: the machine may run other tests. */
const TIMEOUT_MS = 20_000

let net: TestNet
let child: ChildProcess | undefined
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await net.destroy()
})

/** A daemon whose stderr goes where the shell's redirection says. */
function startThroughShell(home: string, redirection: string): ChildProcess {
  const args = [
    inject('program'),
    'daemon',
    '--home',
    home,
    '--json',
    '--no-mdns',
    '--listen',
    '/ip4/127.0.0.1/udp/0/quic-v1'
  ]
  child = spawn('sh', ['-c', `exec "$@" ${redirection}`, 'sh', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  return child
}

const ended = async (process: ChildProcess): Promise<unknown> =>
  (await once(process, 'exit', { signal: AbortSignal.timeout(TIMEOUT_MS) }))[0]

it('lives on when neither its log nor its stderr can be written', async () => {
  const home = await net.home('full')
  await mkdir(join(home.logs, 'catalog.log'))
  const daemon = startThroughShell(home.root, '2>/dev/full')
  const end = ended(daemon)
  const ready = once(createInterface({ input: daemon.stdout! }), 'line')
  expect(await Promise.race([ready, end])).toEqual([expect.stringContaining('"ready"')])
  expect(await cliOk(['status'], { home: home.root })).toMatchObject({ state: 'running' })
  daemon.kill('SIGTERM')
  expect(await end).toBe(0)
})

it('stops when the signal came while it was still starting', async () => {
  const home = await net.home('early')
  const files = watch(home.database, { signal: AbortSignal.timeout(TIMEOUT_MS) })[Symbol.asyncIterator]()
  const opened = files.next()
  const daemon = startThroughShell(home.root, '2>/dev/null')
  const end = ended(daemon)
  const said = text(daemon.stdout!)
  // The database is opened in the midst of a start.
  await opened
  daemon.kill('SIGTERM')
  expect(await end).toBe(0)
  expect(await said).not.toContain('error')
})
