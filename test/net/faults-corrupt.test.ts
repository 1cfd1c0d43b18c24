/** Bits that change in the segments of real daemons: nobody ever gets a wrong byte, the holder says so, and a fetch repairs it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIB } from '../../base/index.ts'
import { eventually } from '../daemon/support.ts'
import { differences, type Files, randomFiles } from './support/content.ts'
import { TestNode } from './support/node.ts'
import { chooseSeed, Random } from './support/random.ts'
import { flipBit, wholeRecords } from './support/segments.ts'

const SIZE_BYTES = 12 * MIB
const DAMAGED = 5
const CORRUPT_BLOCKS = 'catalog_library_content_corrupt_blocks_total'
const TEST_TIMEOUT_MS = 90_000

const seed = chooseSeed()
let folder: string
let random: Random
let publisher: TestNode
let holder: TestNode
let files: Files
let content: string

/** Two daemons that hold the same release. */
beforeEach(async () => {
  random = new Random(seed)
  folder = await mkdtemp(join(tmpdir(), 'catalog-corrupt-'))
  publisher = await TestNode.create(join(folder, 'publisher'))
  holder = await TestNode.create(join(folder, 'holder'))
  await Promise.all([publisher.start(), holder.start()])
  files = randomFiles(random, SIZE_BYTES, 5)
  const { record } = await publisher.daemon.publish({ name: 'demo', version: '1.0.0', files })
  content = record.release.content.toString()
  await holder.connectTo(publisher)
  const fetched = await holder.daemon.operation('/v1/fetches', { spec: 'demo' })
  expect(fetched.error).toBeUndefined()
}, 60_000)
afterEach(async () => {
  await Promise.all([publisher.kill(), holder.kill()])
  await rm(folder, { recursive: true, force: true })
})

/** Damages some chunks of the publisher and the page of its manifest. */
function damage(): number {
  const { root } = publisher.home
  const records = random.shuffled(wholeRecords(root))
  const manifest = records.filter(({ lengthBytes }) => lengthBytes < 1024)
  const damaged = [
    ...records.filter(record => !manifest.includes(record)).slice(0, DAMAGED),
    ...manifest.slice(0, 1)
  ]
  for (const record of damaged) flipBit(root, record, random)
  return damaged.length
}

async function expectWhole(node: TestNode): Promise<void> {
  const answer = await node.daemon.api('GET', `/v1/contents/${content}/tar`)
  expect(answer.trailers['x-catalog-status']).toBe('ok')
  expect(await differences(answer.bytes, files)).toEqual([])
}

const localOf = async (node: TestNode): Promise<string> =>
  (await node.daemon.ok('GET', '/v1/packages/demo')).versions[0].local

describe(`corrupt segments (CATALOG_SEED=${seed})`, () => {
  it(
    'of a stopped daemon: verify names the blocks and ends with 5, fetch brings them again',
    async () => {
      await publisher.daemon.stop()
      damage()
      await publisher.start()
      const verified = await publisher.run('verify', 'demo')
      expect(verified.code).toBe(5)
      expect(verified.json).toMatchObject({ ok: false })
      expect(verified.json.bad.length).toBeGreaterThan(0)
      expect(await localOf(publisher)).not.toBe('complete')
      const broken = await publisher.daemon.api('GET', `/v1/contents/${content}/tar`)
      expect(broken.trailers['x-catalog-status'] ?? broken.json.error.code).not.toBe('ok')

      // A damaged page hides what is below it: what the first repair brings to light the second repairs.
      const repaired = await eventually(async () => {
        const fetched = await publisher.run('fetch', 'demo', '--from', holder.daemon.address)
        expect(fetched).toMatchObject({ code: 0, error: undefined })
        expect(fetched.json.bytesFetched).toBeLessThan(SIZE_BYTES / 2)
        return (await publisher.run('verify', 'demo')).code === 0
      })
      expect(repaired).toBe(true)
      await expectWhole(publisher)
    },
    TEST_TIMEOUT_MS
  )

  it(
    'of a running daemon: a reader gets an error or another copy, the holder says so and is repaired',
    async () => {
      const reader = await TestNode.create(join(folder, 'reader'))
      await reader.start()
      try {
        damage()
        const refused = await reader.daemon.operation('/v1/fetches', {
          spec: 'demo',
          from: publisher.daemon.address
        })
        expect(refused.state).toBe('failed')
        expect(
          (await reader.daemon.api('GET', `/v1/contents/${content}/tar`)).trailers['x-catalog-status']
        ).not.toBe('ok')
        // Found while serving a peer: the mark goes, the log and the metric tell.
        await eventually(async () => (await localOf(publisher)) !== 'complete')
        expect((await publisher.metrics()).get(CORRUPT_BLOCKS)).toBeGreaterThan(0)
        const said = (await publisher.daemon.log()).map(({ msg, message }) => String(msg ?? message))
        expect(said.join('\n')).toContain('stored bytes do not match their hash')
        expect(said.join('\n')).toContain('a content is no longer complete')

        const fromHolder = { spec: 'demo', from: holder.daemon.address }
        const fetched = await reader.daemon.operation('/v1/fetches', fromHolder)
        expect(fetched.error).toBeUndefined()
        await expectWhole(reader)

        await eventually(async () => {
          expect((await publisher.daemon.operation('/v1/fetches', fromHolder)).error).toBeUndefined()
          return (await publisher.run('verify', 'demo')).code === 0
        })
        expect(await localOf(publisher)).toBe('complete')
        await expectWhole(publisher)
      } finally {
        await reader.kill()
      }
    },
    TEST_TIMEOUT_MS
  )
})
