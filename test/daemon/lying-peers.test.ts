/**
 * A consumer's daemon and peers that lie to it, over the real protocols. Each lie is told alone first: the fetch ends in time
 * with a code that names it, and nothing of it is stored as a release. Then an honest holder comes along, and the
 * same fetch completes from it, though the liar is still asked.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ErrorCode, MIB } from '../../base/index.ts'
import type { Operation } from '../../node/index.ts'
import { Hostile } from './support/hostile.ts'
import type { ContentLie } from './support/hostile-content.ts'
import type { RecordLie } from './support/hostile-records.ts'
import type { Structure } from './support/hostile-structures.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let hostile: Hostile
let consumer: TestDaemon
let honest: TestDaemon
beforeAll(async () => {
  net = await TestNet.create()
  ;[hostile, consumer] = await Promise.all([Hostile.start(), net.start('consumer')])
  honest = await net.start('honest', { join: consumer })
  await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers === 1)
})
afterAll(async () => {
  await hostile.stop()
  await net.destroy()
})

/** Of no two names is any block the same, so that each fetch has to ask. */
const filesOf = (name: string): Record<string, string> => ({
  'a/one.txt': `one of ${name}`,
  'a/two.txt': `two of ${name}`,
  'big.txt': `more than a chunk of ${name}\n`.repeat(20_000)
})
/** Three rounds of a source that is silent for 10 s each, and a loaded machine. */
const BOUND_MS = 50_000
const TEST_MS = 120_000

let count = 0
const newName = (): string => `lie-${++count}`

/** A fetch to its end, however long it takes within the bound. */
async function fetched(spec: string, from?: string): Promise<Operation> {
  const startedMs = performance.now()
  const { operation } = await consumer.ok('POST', '/v1/fetches', { spec, ...(from && { from }) })
  for (;;) {
    const { operation: now } = await consumer.ok('GET', `/v1/operations/${operation.id}?wait=20000`)
    const tookMs = performance.now() - startedMs
    if (now.state !== 'running') {
      expect(tookMs).toBeLessThan(BOUND_MS)
      return now
    }
    if (tookMs > BOUND_MS) throw new Error(`it still runs after ${tookMs} ms: ${JSON.stringify(now)}`)
  }
}

/** Nothing of the release is whole here. */
async function expectNotHere(name: string): Promise<void> {
  const { versions } = await consumer.ok('GET', `/v1/packages/${name}`)
  for (const { local, content } of versions) {
    expect(local).not.toBe('complete')
    const tar = await consumer.api('GET', `/v1/contents/${content}/tar`)
    expect(tar.status === 200 && tar.trailers['x-catalog-status'] === 'ok').toBe(false)
  }
}

/** Tells the lie alone, then beside an honest holder. */
async function expectLieToFail(
  lies: { records?: RecordLie; content?: ContentLie },
  codes: readonly ErrorCode[]
): Promise<void> {
  const name = newName()
  const release = await hostile.release({ name, files: filesOf(name) })
  const liar = await hostile.join(consumer, lies)
  await liar.announce(name)
  // Others of this test, joined meanwhile, know the record too: who is let down by one would get it from another.
  const failed = await fetched(name, lies.content === undefined ? undefined : liar.peerId)
  expect(failed.state).toBe('failed')
  expect(codes).toContain(failed.error!.code)
  expect(failed.error!.hint).not.toBe('')
  if (lies.records !== undefined) {
    // Who claims to have it and lied is named, with what was wrong.
    expect(failed.error!.message).toMatch(new RegExp(`holds ${name}; those who claim to failed with `))
    expect(failed.error!.details).toMatchObject({ asked: [{ peerId: liar.peerId }] })
  }
  await expectNotHere(name)

  await honest.ok('POST', '/v1/ingests', Buffer.from(release.tar, 'base64'))
  const published = await honest.operation('/v1/packages', { record: release.record, wait: 1 })
  expect(published.error).toBeUndefined()
  const done = await fetched(name)
  expect(done.error).toBeUndefined()
  expect(done.result).toMatchObject({ name, id: release.id })
  const sources = done.result!.sources as Array<{ peerId: string }>
  expect(sources.map(({ peerId }) => peerId)).toContain(honest.peerId)
  const verified = await consumer.operation('/v1/verifications', { spec: name })
  expect(verified.result).toMatchObject({ ok: true, bad: [] })
}

describe('a peer that answers for records with', () => {
  it.concurrent.each<[RecordLie, ErrorCode]>([
    ['forged', 'NO_PROVIDERS'],
    ['altered', 'NO_PROVIDERS'],
    ['stolen', 'NO_PROVIDERS'],
    ['another name', 'NO_PROVIDERS'],
    ['garbage', 'NO_PROVIDERS'],
    ['too large', 'NO_PROVIDERS'],
    ['sixty-four forgeries', 'NO_PROVIDERS'],
    ['silence', 'NO_PROVIDERS'],
    ['garbage frames', 'NO_PROVIDERS'],
    ['an oversized frame', 'NO_PROVIDERS'],
    ['a reset', 'NO_PROVIDERS'],
    ['an end', 'NO_PROVIDERS'],
    ['no hello', 'NO_PROVIDERS']
  ])('%s', { timeout: TEST_MS }, async (records, code) => {
    await expectLieToFail({ records }, [code])
  })

  it.concurrent('pages without an end, all the same', async () => {
    const name = newName()
    const { id } = await hostile.release({ name, files: filesOf(name) })
    const liar = await hostile.join(consumer, { records: 'endless pages' })
    await liar.announce(name)
    expect((await fetched(name)).result).toMatchObject({ id })
  })
})

describe('a peer that answers for content with', () => {
  it.concurrent.each<[ContentLie, ErrorCode[]]>([
    ['wrong bytes', ['BYTES_WRONG']],
    ['wrong bytes in a chunk', ['BYTES_WRONG']],
    ['garbage frames', ['PROTOCOL_VIOLATION']],
    ['an oversized frame', ['PROTOCOL_VIOLATION']],
    ['an end in the middle', ['STREAM_TRUNCATED']],
    ['a reset in the middle', ['STREAM_TRUNCATED']],
    ['silence', ['TIMEOUT']],
    ['that it has nothing', ['RELEASE_NOT_FOUND']],
    ['that it is busy', ['BUSY']],
    ['that it is broken', ['PEER_FAILED']]
  ])('%s', { timeout: TEST_MS }, async (content, codes) => {
    await expectLieToFail({ content }, codes)
  })
})

describe('a publisher whose content has', () => {
  it.concurrent.each<[Structure, ErrorCode]>([
    ['a wrong size', 'CONTENT_INVALID'],
    ['a wrong number of files', 'CONTENT_INVALID'],
    ['a path that climbs', 'PATH_REFUSED'],
    ['a file below a link', 'PATH_REFUSED'],
    ['a manifest that is none', 'CONTENT_INVALID'],
    ['an endless manifest', 'CONTENT_INVALID'],
    ['a deep tree', 'CONTENT_INVALID']
  ])('%s', { timeout: TEST_MS }, async (structure, code) => {
    const name = newName()
    await hostile.release({ name, files: filesOf(name), structure })
    const liar = await hostile.join(consumer)
    await liar.announce(name)
    for (let attempt = 0; attempt < 2; attempt++) {
      const failed = await fetched(name)
      expect(failed.error).toMatchObject({ code, hint: expect.stringMatching(/publisher|rename|spelling/) })
      await expectNotHere(name)
    }
  })
})

describe('after all that', () => {
  it('the daemon is well, has logged each violation and no error, and holds only right bytes', async () => {
    const status = await consumer.ok('GET', '/v1/status')
    expect(status.state).toBe('running')
    expect(status.memory.rssBytes).toBeLessThan(400 * MIB)
    const verified = await consumer.operation('/v1/verifications', {})
    expect(verified.error).toBeUndefined()
    expect(verified.result).toMatchObject({ ok: true, bad: [] })
    expect((await consumer.stop()).code).toBe(0)
    const lines = await consumer.log()
    const levelOf = (line: Record<string, unknown>): number => Number(line.level)
    expect(lines.filter(line => levelOf(line) >= 50)).toEqual([])
    const warned = new Set(lines.filter(line => levelOf(line) === 40).map(line => line.code))
    for (const code of ['BYTES_WRONG', 'PROTOCOL_VIOLATION', 'STREAM_TRUNCATED', 'TIMEOUT'])
      expect([...warned]).toContain(code)
    const reasons = lines.map(line => String(line.reason ?? '')).join('\n')
    for (const word of [
      'SIGNATURE_INVALID',
      'RECORD_INVALID',
      'RECORD_TOO_LARGE',
      'was not asked for',
      '64 of 64'
    ])
      expect(reasons).toContain(word)
  })
})
