/** Fetches from several daemons at once, over links of equal rates. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SlowProxy } from './support/slow-proxy.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

const TCP = { 'network.listen': '/ip4/127.0.0.1/tcp/0' }
const BYTES_PER_SECOND = 3_000_000
/** The least that a limit can be. */
const CRAWL = 32 * 1024
const SIZE_BYTES = 15_000_000
const SPEC = 'many@1.0.0'
/** Six daemons start and stop in one of them, on a machine that has other work. */
const TEST_MS = 120_000
/** What compares the times of two fetches is done again where the machine had other work during one of them. */
const RETRIES = 2

let net: TestNet
let proxies: SlowProxy[]
beforeEach(async () => {
  net = await TestNet.create()
  proxies = []
})
afterEach(async () => {
  for (const proxy of proxies) proxy.stop()
  await net.destroy()
})

/** Daemons that hold the same release, and the way to each that has a rate. */
async function startSources(count: number): Promise<{ sources: TestDaemon[]; content: string }> {
  const first = await net.start('source-0', { set: TCP })
  const release = { name: 'many', version: '1.0.0', files: { 'many.bin': randomBytes(SIZE_BYTES) } }
  const { record } = await first.publish(release)
  const sources = [first]
  for (let i = 1; i < count; i++) {
    const source = await net.start(`source-${i}`, { set: TCP, join: first })
    const { state } = await source.operation('/v1/fetches', { spec: SPEC, from: first.peerId })
    expect(state).toBe('done')
    sources.push(source)
  }
  proxies = await Promise.all(sources.map(source => SlowProxy.start(source, BYTES_PER_SECOND)))
  return { sources, content: record.release.content.toString() }
}

/** A daemon that reaches these sources, each at its rate. */
const consumerOf = async (name: string, through: readonly SlowProxy[]): Promise<TestDaemon> => {
  const consumer = await net.start(name, { set: TCP })
  for (const { address } of through) await consumer.ok('POST', '/v1/peers', { address })
  return consumer
}

/** Limits what a daemon sends in all, on loopback too. */
async function limit(daemon: TestDaemon, bytesPerSecond: number): Promise<void> {
  for (const [key, value] of [
    ['private', 'true'],
    ['burst', '64KiB'],
    ['up', String(bytesPerSecond)]
  ])
    await daemon.ok('PUT', `/v1/config/limits.${key}`, { value })
}

const tarOf = async (daemon: TestDaemon, content: string): Promise<Buffer> => {
  const { bytes, trailers } = await daemon.api('GET', `/v1/contents/${content}/tar`)
  expect(trailers['x-catalog-status']).toBe('ok')
  return bytes
}

/** Starts a fetch; how far it is, and its end. */
async function startFetch(consumer: TestDaemon, body: object) {
  const { operation } = await consumer.ok('POST', '/v1/fetches', body)
  return {
    progress: async () => {
      const { operation: now } = await consumer.ok('GET', `/v1/operations/${operation.id}`)
      return now as {
        state: string
        progress: { bytesDone?: number; sources?: Array<{ peerId: string; bytes: number }> }
      }
    },
    end: () => consumer.untilEnded(operation.id)
  }
}

describe('a daemon that fetches', () => {
  it('is faster from three sources than from one', { timeout: TEST_MS, retry: RETRIES }, async () => {
    const { sources, content } = await startSources(3)
    const original = await tarOf(sources[0]!, content)
    /** Checks what came, and ends the daemon: it would be a source of the next one, without a rate. */
    const finish = async (daemon: TestDaemon): Promise<void> => {
      expect((await tarOf(daemon, content)).equals(original)).toBe(true)
      await daemon.stop()
    }
    const one = await consumerOf('one', proxies.slice(0, 1))
    const alone = await one.operation('/v1/fetches', { spec: SPEC, from: sources[0]!.peerId })
    await finish(one)
    const three = await consumerOf('three', proxies)
    const together = await three.operation('/v1/fetches', { spec: SPEC })
    await finish(three)
    const tookMs = ({ result }: typeof alone): number => Number(result!.tookMs)
    expect(tookMs(together) / tookMs(alone)).toBeLessThan(0.75)
    const sent = together.result!.sources as Array<{ peerId: string; bytes: number }>
    expect(new Set(sent.map(({ peerId }) => peerId))).toEqual(new Set(sources.map(({ peerId }) => peerId)))
  })

  it('is not held up by a source that is limited to a crawl, and lets it go', {
    timeout: TEST_MS,
    retry: RETRIES
  }, async () => {
    const { sources, content } = await startSources(2)
    const original = await tarOf(sources[0]!, content)
    // The limits are what makes them slow: nobody goes through a proxy here.
    for (const source of sources) await limit(source, BYTES_PER_SECOND / 2)
    const fetchTo = async (consumer: TestDaemon, holders: number) => {
      await eventually(async () => (await consumer.ok('GET', '/v1/peers')).peers.length === holders)
      const { state, result } = await consumer.operation('/v1/fetches', { spec: SPEC })
      expect(state).toBe('done')
      expect((await tarOf(consumer, content)).equals(original)).toBe(true)
      const sent = result!.sources as Array<{ peerId: string; bytes: number }>
      return { tookMs: Number(result!.tookMs), sent }
    }
    const crawler = await net.start('crawler', { set: TCP, join: sources })
    const without = await fetchTo(crawler, 2)
    await limit(crawler, CRAWL)
    const consumer = await net.start('consumer', { set: TCP, join: [...sources, crawler] })
    const beside = await fetchTo(consumer, 3)
    expect(beside.tookMs / without.tookMs).toBeLessThan(1.3)
    const { sourceFailures } = await consumer.ok('GET', `/v1/why?spec=${SPEC}`)
    expect(sourceFailures).toMatchObject([{ peerId: crawler.peerId, code: 'SOURCE_SLOW' }])
    // What it was asked for came from others, and little of it twice.
    const bytes = beside.sent.reduce((sum, source) => sum + source.bytes, 0)
    expect(bytes / SIZE_BYTES).toBeLessThan(1.2)
  })

  it('goes on when one of its sources is killed', { timeout: TEST_MS }, async () => {
    const { sources, content } = await startSources(3)
    const survivor = await consumerOf('survivor', proxies)
    const fetch = await startFetch(survivor, { spec: SPEC })
    const victim = sources[2]!
    await eventually(async () => {
      const { progress } = await fetch.progress()
      return (progress.sources?.find(({ peerId }) => peerId === victim.peerId)?.bytes ?? 0) > 500_000
    })
    await victim.kill()
    proxies[2]!.stop()
    expect((await fetch.end()).state).toBe('done')
    expect((await tarOf(survivor, content)).equals(await tarOf(sources[0]!, content))).toBe(true)
  })

  it('serves what it has to another while it fetches itself', { timeout: TEST_MS }, async () => {
    const { sources, content } = await startSources(1)
    const middle = await consumerOf('middle', proxies)
    const last = await net.start('last', { set: TCP, join: middle })
    const first = await startFetch(middle, { spec: SPEC, from: sources[0]!.peerId })
    await eventually(async () => ((await first.progress()).progress.bytesDone ?? 0) > 1_000_000)
    const second = await startFetch(last, { spec: SPEC, from: middle.peerId })
    // A third of it has come here while the one in the middle does not have it all.
    await eventually(async () => {
      const done = (await second.progress()).progress.bytesDone ?? 0
      const { state } = await first.progress()
      expect(state).toBe('running')
      return done > SIZE_BYTES / 3
    })
    const ended = [await first.end(), await second.end()]
    expect(ended.map(({ state }) => state)).toEqual(['done', 'done'])
    expect((await tarOf(last, content)).equals(await tarOf(sources[0]!, content))).toBe(true)
  })
})
