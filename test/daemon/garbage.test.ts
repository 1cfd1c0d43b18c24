/** Garbage collection of a running daemon: what goes, what stays, and what a kill in the middle of it leaves. */
import { readdirSync, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pseudoRandom } from '../unit/content/fakes.ts'
import { eventually, type TestDaemon, TestNet, tarOf } from './support.ts'

const MB = 1_000_000
let net: TestNet

beforeEach(async () => {
  net = await TestNet.create()
})

afterEach(() => net.destroy())

const publish = (daemon: TestDaemon, version: string, sizeBytes = MB) =>
  daemon.publish({ name: 'pack', version, files: { data: pseudoRandom(`pack ${version}`, sizeBytes) } })

async function diskBytes(daemon: TestDaemon): Promise<number> {
  const folder = daemon.home.segments
  const sizes = await Promise.all(
    (await readdir(folder)).map(async name => (await stat(join(folder, name))).size)
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

const tarOfContent = async (daemon: TestDaemon, content: string) =>
  await daemon.api('GET', `/v1/contents/${content}/tar`)

test('removes, pins, collects, says before what would go, and ends with an empty disk', async () => {
  const daemon = await net.start('alone')
  const first = await publish(daemon, '1.0.0')
  await publish(daemon, '2.0.0')
  expect(await daemon.ok('PUT', '/v1/releases/pin', { spec: 'pack@2.0.0' })).toMatchObject({ kept: true })
  const refused = await daemon.api('DELETE', '/v1/releases?spec=pack@2.0.0')
  expect(refused.json.error.code).toBe('RELEASE_PINNED')
  expect((await daemon.api('DELETE', '/v1/releases?spec=pack')).json.error.code).toBe('INVALID_ARGUMENT')
  await daemon.ok('DELETE', '/v1/releases?spec=pack@1.0.0')
  const { packages } = await daemon.ok('GET', '/v1/packages')
  expect(packages).toMatchObject([{ version: '2.0.0', kept: true }])
  const before = await diskBytes(daemon)
  const plan = await daemon.operation('/v1/collections', { dryRun: true })
  expect(plan.result).toMatchObject({ dryRun: true, bytesBefore: before })
  expect(plan.result!.freedBytes).toBeGreaterThan(MB)
  expect(await diskBytes(daemon)).toBe(before)
  const done = await daemon.operation('/v1/collections', {})
  expect(done).toMatchObject({ state: 'done', result: { dryRun: false, gaps: 0 } })
  expect(await diskBytes(daemon)).toBe(before - (done.result!.freedBytes as number))
  expect(await diskBytes(daemon)).toBeLessThan(1.03 * MB)
  const gone = await tarOfContent(daemon, first.record.release.content.toString())
  expect(gone.status === 404 || gone.trailers['x-catalog-status'] !== 'ok').toBe(true)
  expect((await daemon.operation('/v1/verifications', {})).result).toMatchObject({ ok: true })
  await daemon.ok('DELETE', '/v1/releases/pin?spec=pack@2.0.0')
  await daemon.ok('DELETE', '/v1/releases?spec=pack@2.0.0')
  await daemon.operation('/v1/collections', {})
  expect(await diskBytes(daemon)).toBe(0)
  expect((await daemon.ok('GET', '/v1/status')).store).toMatchObject({ bytes: 0, chunks: 0 })
})

/** Resolves when segment files have come or gone in such a number since now. */
function whenSegments(
  daemon: TestDaemon,
  isSo: (more: number) => boolean
): { moment: Promise<void>; stop(): void } {
  const folder = daemon.home.segments
  const before = readdirSync(folder).length
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (isSo(readdirSync(folder).length - before)) resolve()
  }
  const watcher = watch(folder, look)
  look()
  return { moment: promise, stop: () => watcher.close() }
}

test('a kill in the middle of a collection loses nothing that is held', async () => {
  let daemon = await net.start('killed')
  const kept = await publish(daemon, '1.0.0')
  for (let n = 2; n < 8; n++) await publish(daemon, `${n}.0.0`, 3 * MB)
  for (let n = 2; n < 8; n++) await daemon.ok('DELETE', `/v1/releases?spec=pack@${n}.0.0`)
  // The moments of the kills: when it has begun, when a segment has come for what is moved, when one has gone.
  for (const isMoment of [() => true, (n: number) => n > 0, (n: number) => n < 0]) {
    const { moment, stop } = whenSegments(daemon, isMoment)
    const { operation } = await daemon.ok('POST', '/v1/collections', {})
    // It may be over before; whoever asks for its end is cut off by the kill.
    const ended = daemon.untilEnded(operation.id).catch(() => undefined)
    await Promise.race([moment, ended])
    stop()
    await daemon.kill()
    daemon = await net.start('killed')
    const tar = await tarOfContent(daemon, kept.record.release.content.toString())
    expect(tar.trailers['x-catalog-status']).toBe('ok')
    expect(tar.bytes.indexOf(Buffer.from(pseudoRandom('pack 1.0.0', MB)))).toBeGreaterThan(0)
  }
  expect(await daemon.operation('/v1/collections', {})).toMatchObject({ state: 'done' })
  expect(await diskBytes(daemon)).toBeLessThan(1.03 * MB)
  expect((await daemon.operation('/v1/verifications', {})).result).toMatchObject({ ok: true })
})

test('under a quota the longest unused makes room, and what is pinned is refused', async () => {
  const publisher = await net.start('publisher')
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) await publish(publisher, version, 25 * MB)
  const small = await net.start('small', { join: publisher, set: { 'store.quota': '64MiB' } })
  const fetch = (version: string) => small.operation('/v1/fetches', { spec: `pack@${version}` })
  const local = async (version: string) =>
    (await small.ok('GET', `/v1/releases?spec=pack@${version}`)).local as string
  await eventually(async () => (await small.ok('GET', '/v1/status')).peers > 0)
  for (const version of ['1.0.0', '2.0.0', '3.0.0'])
    expect(await fetch(version)).toMatchObject({ state: 'done' })
  expect([await local('1.0.0'), await local('3.0.0')]).toEqual(['none', 'complete'])
  await small.ok('PUT', '/v1/releases/pin', { spec: 'pack@2.0.0' })
  // Without what is pinned there is no room for 50 MB: nothing goes for it.
  await publish(publisher, '4.0.0', 50 * MB)
  expect((await fetch('4.0.0')).error).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  expect(await local('3.0.0')).toBe('complete')
  // What needs less is not refused for that, and takes the room of what is not pinned.
  for (const version of ['1.0.0', '3.0.0']) expect(await fetch(version)).toMatchObject({ state: 'done' })
  expect(await local('1.0.0')).toBe('none')
  await small.ok('PUT', '/v1/releases/pin', { spec: 'pack@3.0.0' })
  const refused = await fetch('1.0.0')
  const pinned = { code: 'QUOTA_EXCEEDED', details: { pinnedBytes: 50 * MB } }
  expect(refused.error).toMatchObject(pinned)
  // Asked again at once it says the same, though nobody has looked again.
  expect((await fetch('1.0.0')).error).toMatchObject(pinned)
  expect([await local('2.0.0'), await local('3.0.0')]).toEqual(['complete', 'complete'])
  await small.ok('DELETE', '/v1/releases/pin?spec=pack@2.0.0')
  expect(await fetch('1.0.0')).toMatchObject({ state: 'done' })
  expect(await local('2.0.0')).toBe('none')
  const tar = await tarOf({ own: pseudoRandom('own', 25 * MB) })
  expect((await small.api('POST', '/v1/ingests', tar)).json.error).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  await small.ok('POST', `/v1/ingests?roomFor=${25 * MB}`, tar)
  expect([await local('1.0.0'), await local('3.0.0')]).toEqual(['none', 'complete'])
  expect(await diskBytes(small)).toBeLessThan(64 * 1024 * 1024)
}, 60_000)
