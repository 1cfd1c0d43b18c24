/** A daemon whose sealed segments stand in a bucket of a real S3 server, which goes away and comes back. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { BucketServer } from '../unit/content/bucket-server.ts'
import { chooseSeed, Random } from './support/random.ts'

const TEST_TIMEOUT_MS = 180_000
/** Segments of 8 MiB: the smallest quota there is. */
const QUOTA = '64MiB'
const SIZE_BYTES = 9_000_000
const SECRET = 'S3RVER'

const seed = chooseSeed()
console.log(`CATALOG_SEED=${seed}`)
const random = new Random(seed)
let net: TestNet
let server: BucketServer

beforeAll(async () => {
  net = await TestNet.create()
  server = await BucketServer.start()
})

afterAll(async () => {
  await net.destroy()
  await server.destroy()
})

const start = (backend: 's3' | 'local') =>
  net.start('publisher', {
    env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: SECRET },
    set: {
      'store.quota': QUOTA,
      'store.backend': backend,
      'store.s3.endpoint': server.endpoint,
      'store.s3.bucket': 'catalog',
      'store.s3.cache': '0',
      'store.s3.backlog': '128MiB'
    }
  })

const segmentsHere = async (daemon: TestDaemon): Promise<string[]> =>
  (await readdir(daemon.home.segments)).filter(name => /^\d+$/.test(name))

/** Numbers of the segments in the bucket, as its server keeps them on disk. */
async function segmentsThere(): Promise<string[]> {
  const names = await readdir(join(server.folder, 'catalog', 'catalog', 'segments')).catch(() => [])
  return [...new Set(names.map(name => /^\d+/.exec(name)?.[0] ?? ''))].filter(name => name !== '')
}

async function bucketCheck(daemon: TestDaemon): Promise<{ level: string; message: string }> {
  const { checks } = await daemon.ok('GET', '/v1/doctor')
  return checks.find(({ name }: { name: string }) => name === 'bucket')
}

const tarOf = (daemon: TestDaemon, content: string) => daemon.api('GET', `/v1/contents/${content}/tar`)

test(
  'publishes, seals, restarts, serves a peer from the bucket, does without it for a while, and collects',
  async () => {
    let daemon = await start('s3')
    const bodies = Array.from({ length: 3 }, () => random.bytes(SIZE_BYTES))
    const contents: string[] = []
    for (const [i, data] of bodies.entries()) {
      const { record } = await daemon.publish({ name: 'pack', version: `${i + 1}.0.0`, files: { data } })
      contents.push(record.release.content.toString())
    }
    // Only the segment that is being written is here, the others are there.
    await eventually(async () => (await segmentsHere(daemon)).length <= 1, 30_000)
    expect((await segmentsThere()).length).toBeGreaterThanOrEqual(3)
    expect(await bucketCheck(daemon)).toMatchObject({ level: 'ok' })
    const shown = await daemon.ok('GET', '/v1/config')
    expect(JSON.stringify(shown)).not.toContain(SECRET)

    await daemon.kill()
    daemon = await start('s3')
    const first = await tarOf(daemon, contents[0]!)
    expect(first.trailers['x-catalog-status']).toBe('ok')
    expect(first.bytes.includes(bodies[0]!)).toBe(true)
    expect(await daemon.operation('/v1/verifications', {})).toMatchObject({ result: { ok: true } })

    const consumer = await net.start('consumer', { join: daemon })
    await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers > 0)
    expect(await consumer.operation('/v1/fetches', { spec: 'pack@1.0.0' })).toMatchObject({ state: 'done' })
    expect((await tarOf(consumer, contents[0]!)).bytes.includes(bodies[0]!)).toBe(true)

    // Away: what is only there cannot be read, what is new is taken.
    await server.down()
    await daemon.stop()
    daemon = await start('s3')
    const gone = await tarOf(daemon, contents[0]!)
    const status = gone.status === 200 ? gone.trailers['x-catalog-status'] : gone.bytes.toString()
    expect(status).toContain('BUCKET_UNREACHABLE')
    expect(await bucketCheck(daemon)).toMatchObject({ level: 'error' })
    const late = random.bytes(SIZE_BYTES)
    const { record } = await daemon.publish({ name: 'pack', version: '4.0.0', files: { data: late } })
    const fresh = await tarOf(daemon, record.release.content.toString())
    expect(fresh.bytes.includes(late)).toBe(true)

    await server.up()
    const back = await eventually(async () => {
      const tar = await tarOf(daemon, contents[0]!)
      return tar.trailers['x-catalog-status'] === 'ok' && tar
    })
    expect(back.bytes.includes(bodies[0]!)).toBe(true)
    await eventually(async () => (await segmentsHere(daemon)).length <= 1, 60_000)

    for (const version of ['1.0.0', '2.0.0', '3.0.0'])
      await daemon.ok('DELETE', `/v1/releases?spec=pack@${version}`)
    const before = (await segmentsThere()).length
    expect(await daemon.operation('/v1/collections', {})).toMatchObject({
      state: 'done',
      result: { gaps: 0 }
    })
    await eventually(async () => (await segmentsThere()).length < before - 1, 60_000)
    const kept = await tarOf(daemon, record.release.content.toString())
    expect(kept.bytes.includes(late)).toBe(true)
    expect(await daemon.operation('/v1/verifications', {})).toMatchObject({ result: { ok: true } })

    await daemon.stop()
    await expect(start('local')).rejects.toThrow('BUCKET_NOT_CONFIGURED')
  },
  TEST_TIMEOUT_MS
)
