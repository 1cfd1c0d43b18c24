/** The real command installs a release while the daemon still fetches it, from a source that is slow. */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningCli, startCli } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

const MIB = 1024 * 1024
const FILE_BYTES = 2 * MIB
/** Twice what the store commits at once, and more. */
const NAMES = Array.from({ length: 10 }, (_, i) => `file-${i}.bin`)
const SPEEDS = { slow: { up: MIB, burst: 64 * 1024 }, fast: { up: 0 } }
/** 8 MiB have to come first, and daemons and commands start on a machine that has other work. */
const TEST_MS = 120_000

let net: TestNet
let source: TestDaemon
let consumer: TestDaemon
let files: Record<string, Uint8Array>
beforeAll(async () => {
  net = await TestNet.create()
  source = await net.start('source')
  files = Object.fromEntries(NAMES.map(name => [name, randomBytes(FILE_BYTES)]))
  await source.publish({ name: 'wanted', version: '1.0.0', files })
  const others = Object.fromEntries(NAMES.map(name => [name, randomBytes(FILE_BYTES)]))
  await source.publish({ name: 'cancelled', version: '1.0.0', files: others })
  consumer = await net.start('consumer', { join: source })
}, TEST_MS)
afterAll(() => net.destroy())

const sendAt = (speed: keyof typeof SPEEDS): Promise<unknown> =>
  source.ok('PUT', `/v1/peers/${consumer.peerId}/limits`, SPEEDS[speed])

/** Starts an install and waits until a file is whole in staging, while the fetch goes on and nothing can be seen of it. */
async function startInstall(name: string, target: string): Promise<{ command: RunningCli; fetch: string }> {
  const command = startCli(['install', name, '--to', target, '--json'], { home: consumer.home.root })
  const staged = join(target, '.catalog', 'staging', '0', NAMES[0]!)
  const ended = command.ended.then(({ stdout }) => {
    throw new Error(`it ended too early: ${stdout}`)
  })
  await Promise.race([eventually(async () => isWhole(staged), TEST_MS), ended])
  const { operations } = await consumer.ok('GET', '/v1/operations')
  const fetch = operations.find(({ state }: { state: string }) => state === 'running')
  expect(fetch).toMatchObject({ kind: 'fetch', release: { name } })
  expect(readdirSync(target)).toEqual(['.catalog'])
  return { command, fetch: fetch.id }
}

const isWhole = (path: string): boolean => existsSync(path) && statSync(path).size === FILE_BYTES

it('is written as it arrives, and after a kill a second install goes on from there', {
  timeout: TEST_MS
}, async () => {
  const target = join(net.folder, 'target')
  await sendAt('slow')
  const { command } = await startInstall('wanted', target)
  command.process.kill('SIGKILL')
  await command.ended
  expect(readdirSync(target)).toEqual(['.catalog'])

  await sendAt('fast')
  const again = startCli(['install', 'wanted', '--to', target, '--json'], { home: consumer.home.root })
  const { code, stdout } = await again.ended
  expect({ code, stdout }).toMatchObject({ code: 0 })
  for (const name of NAMES)
    expect(readFileSync(join(target, 'wanted', name)).equals(files[name]!), name).toBe(true)
  expect(readdirSync(target).sort()).toEqual(['.catalog', 'catalog-lock.json', 'wanted'])
  expect(readdirSync(join(target, '.catalog'))).toEqual(['installed.json'])
})

it('leaves nothing when the fetch fails in the middle', { timeout: TEST_MS }, async () => {
  const target = join(net.folder, 'nothing')
  await sendAt('slow')
  const { command, fetch } = await startInstall('cancelled', target)
  await consumer.ok('DELETE', `/v1/operations/${fetch}`)
  const { code, stdout } = await command.ended
  expect(code).not.toBe(0)
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'ABORTED' })
  expect(existsSync(target)).toBe(false)
})

it('gives the tar of a fetch for the content that it fetches, and no other', async () => {
  await sendAt('fast')
  const { result } = await consumer.operation('/v1/fetches', { spec: 'wanted' })
  const { operations } = await consumer.ok('GET', '/v1/operations')
  const other = operations.find(
    ({ release }: { release?: { name: string } }) => release?.name === 'cancelled'
  )
  const refused = await consumer.api('GET', `/v1/contents/${result!.content}/tar?fetch=${other.id}`)
  expect([refused.status, refused.json.error.code]).toEqual([400, 'INVALID_ARGUMENT'])
  const failed = await consumer.api('GET', `/v1/contents/${other.release.content}/tar?fetch=${other.id}`)
  expect(failed.json?.error.code ?? JSON.parse(failed.trailers['x-catalog-status']!).code).toBe('ABORTED')
  const own = operations.find(({ state }: { state: string }) => state === 'done')
  const whole = await consumer.api('GET', `/v1/contents/${result!.content}/tar?fetch=${own.id}`)
  expect(whole.trailers['x-catalog-status']).toBe('ok')
})
