/** Bytes that rot under a running daemon: never served, found, and fetched again from those who have them. */
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeyFamily, makeKey, type WriteOperation, withDatabase } from '../../library/index.ts'
import { pseudoRandom } from '../unit/content/fakes.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet

beforeEach(async () => {
  net = await TestNet.create()
})

afterEach(() => net.destroy())

const body = pseudoRandom('rotting', 2_000_000)

/** Flips one bit in the middle of the file's bytes, where a segment holds them. */
async function rot(daemon: TestDaemon): Promise<void> {
  const path = join(daemon.home.segments, '0')
  const bytes = await readFile(path)
  const at = bytes.indexOf(Buffer.from(body.subarray(900_000, 900_064)))
  const file = await open(path, 'r+')
  await file.write(Buffer.from([bytes[at]! ^ 1]), 0, 1, at)
  await file.close()
}

test('a flipped bit is never served, and repaired from a peer', async () => {
  const publisher = await net.start('publisher')
  const { record } = await publisher.publish({ name: 'pack', version: '1.0.0', files: { data: body } })
  const other = await net.start('other', { join: publisher })
  await eventually(async () => (await other.ok('GET', '/v1/status')).peers > 0)
  expect(await other.operation('/v1/fetches', { spec: 'pack' })).toMatchObject({ state: 'done' })
  await rot(other)
  const content = record.release.content.toString()
  const bad = await other.api('GET', `/v1/contents/${content}/tar`)
  expect(bad.status !== 200 || bad.trailers['x-catalog-status'] !== 'ok').toBe(true)
  const found = await other.operation('/v1/verifications', {})
  expect(found.result).toMatchObject({ ok: false, repaired: [] })
  const integrity = async () => {
    const { checks } = await other.ok('GET', '/v1/doctor')
    return checks.find(({ name }: { name: string }) => name === 'integrity')
  }
  expect(await integrity()).toMatchObject({ level: 'error', hint: expect.stringContaining('--repair') })
  const status = await other.ok('GET', '/v1/status')
  expect(status.store).toMatchObject({ contents: 0, damaged: 1 })
  expect(status.health.reasons).toContainEqual(
    expect.stringContaining('blocks are missing from 1 content once whole')
  )
  const { result } = await other.operation('/v1/verifications', { repair: true })
  expect(result).toMatchObject({ ok: true, repaired: [{ release: 'pack@1.0.0', ok: true }] })
  expect(await integrity()).toMatchObject({ level: 'ok' })
  expect((await other.ok('GET', '/v1/status')).store).toMatchObject({ contents: 1, damaged: 0 })
  const good = await other.api('GET', `/v1/contents/${content}/tar`)
  expect(good.trailers['x-catalog-status']).toBe('ok')
  expect(good.bytes.indexOf(Buffer.from(body))).toBeGreaterThan(0)
}, 60_000)

test('a tree that rots is found, named, and built anew from the records', async () => {
  const publisher = await net.start('publisher')
  for (const version of ['1.0.0', '1.0.1'])
    await publisher.publish({ name: 'pack', version, files: { version } })
  const shown = async (daemon: TestDaemon) => {
    const { checks } = await daemon.ok('GET', '/v1/doctor')
    return checks.find(({ name }: { name: string }) => name === 'library')
  }
  const before = await shown(publisher)
  expect(before).toMatchObject({
    level: 'ok',
    message: expect.stringMatching(/^2 records, root [0-9a-f]{64}; head 2 of epoch \d+ holds until 2/)
  })
  expect(await publisher.stop()).toMatchObject({ code: 0 })
  await withDatabase(publisher.home.root, async database => {
    const operations: WriteOperation[] = []
    for await (const [key] of database.iterate({ prefix: makeKey(KeyFamily.TreeNode) }))
      operations.push({ type: 'del', key })
    await database.batch(operations, { sync: true })
  })
  const again = await net.start('publisher')
  const found = await again.operation('/v1/verifications', {})
  expect(found.result).toMatchObject({
    ok: false,
    trees: [
      {
        library: 'home',
        ok: false,
        problems: expect.arrayContaining(['the top node of the tree is missing']),
        problemCount: 3,
        rebuilt: false
      },
      { library: 'private', ok: true, records: 0 }
    ]
  })
  const { result } = await again.operation('/v1/verifications', { repair: true })
  expect(result).toMatchObject({ ok: true, trees: [{ ok: true, records: 2, rebuilt: true }, { ok: true }] })
  expect(await shown(again), 'the root is the same, so the head holds').toEqual(before)
}, 60_000)

test('the scrub finds a flipped bit that nobody reads, and has it repaired', async () => {
  const publisher = await net.start('publisher')
  const { record } = await publisher.publish({ name: 'pack', version: '1.0.0', files: { data: body } })
  const other = await net.start('other', { join: publisher, set: { 'store.scrubInterval': '4s' } })
  await eventually(async () => (await other.ok('GET', '/v1/status')).peers > 0)
  expect(await other.operation('/v1/fetches', { spec: 'pack' })).toMatchObject({ state: 'done' })
  await rot(other)
  await eventually(async () => {
    const { operations } = await other.ok('GET', '/v1/operations')
    return operations.some(
      ({ kind, state }: { kind: string; state: string }) => kind === 'repair' && state === 'done'
    )
  })
  const good = await other.api('GET', `/v1/contents/${record.release.content}/tar`)
  expect(good.trailers['x-catalog-status']).toBe('ok')
  expect(good.bytes.indexOf(Buffer.from(body))).toBeGreaterThan(0)
  const lastScrub = await eventually(async () => {
    const { store } = await other.ok('GET', '/v1/status')
    return store.lastScrub !== null && store.lastScrub
  })
  expect(lastScrub).toMatchObject({ endedAt: expect.any(String), corrupt: expect.any(Number) })
}, 40_000)
