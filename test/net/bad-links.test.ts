/**
 * Fetches between two real daemons over links as they are outside of laboratories: packets are lost, late and out of order,
 * the link goes away for a while, hosts move to another address. Nobody touches anything: the fetch goes on by itself.
 */
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { KIB, MIB } from '../../base/index.ts'
import type { Operation } from '../../node/index.ts'
import { type LinkSettings, whyNoLink } from '../../testnet/index.ts'
import { eventually } from '../daemon/support.ts'
import { differences, type Files, randomFiles, sizeOf } from './support/content.ts'
import { LinkedNodes } from './support/linked-nodes.ts'
import { chooseSeed, Random } from './support/random.ts'

/** The start of two daemons included, on a machine that may do other things. */
const TEST_TIMEOUT_MS = 90_000
/** The outage's length is what is tested: the idle time-out, the back-off of dials and the rest given to failing peers all pass in it. */
const OUTAGE_MS = 30_000
const OUTAGE_TIMEOUT_MS = TEST_TIMEOUT_MS + OUTAGE_MS
/** Bytes that may come twice, of a fetch that was interrupted or of packets that were late, over those of the content. */
const MAX_OVERHEAD = 1.1
const RECEIVED = 'catalog_fetch_received_bytes_total'
const seed = chooseSeed()
const why = whyNoLink()

let nodes: LinkedNodes
afterEach(async () => await nodes?.remove())

interface Fetch {
  id: string
  files: Files
  content: string
}

/** Publishes at the source, and starts to fetch at the sink. */
async function startFetch(
  link: Partial<LinkSettings>,
  sizeBytes: number,
  set: Record<string, string> = {}
): Promise<Fetch> {
  nodes = await LinkedNodes.create(link, set)
  const files = randomFiles(new Random(seed), sizeBytes, 5)
  const { record } = await nodes.source.publish({ name: 'demo', version: '1.0.0', files })
  await eventually(async () => (await nodes.sink.ok('GET', '/v1/peers')).peers.length > 0)
  const { operation } = await nodes.sink.ok('POST', '/v1/fetches', { spec: 'demo' })
  return { id: operation.id, files, content: record.release.content.toString() }
}

const operationOf = async (id: string): Promise<Operation> =>
  (await nodes.sink.ok('GET', `/v1/operations/${id}`)).operation

/** Waits until some of the content is there and some is not. */
async function untilPartWay({ id, files }: Fetch, part: number): Promise<void> {
  const operation = await eventually(async () => {
    const found = await operationOf(id)
    const isOver = (found.progress.bytesDone ?? 0) >= sizeOf(files) * part
    return (isOver || found.state !== 'running') && found
  })
  expect(operation, 'the fetch was over before the link changed').toMatchObject({ state: 'running' })
}

/** Waits for the end; everything must be there, byte for byte, and hardly anything have come twice. */
async function expectFetched({ id, files, content }: Fetch): Promise<void> {
  const operation = await eventually(async () => {
    const found = await operationOf(id)
    return found.state !== 'running' && found
  }, TEST_TIMEOUT_MS)
  expect(operation.error).toBeUndefined()
  const metrics = (await nodes.sink.api('GET', '/metrics')).bytes.toString()
  const received = Number(new RegExp(`^${RECEIVED} (\\d+)$`, 'm').exec(metrics)?.[1])
  expect(received).toBeGreaterThanOrEqual(sizeOf(files))
  expect(received / sizeOf(files)).toBeLessThan(MAX_OVERHEAD)
  const tar = await nodes.sink.api('GET', `/v1/contents/${content}/tar`)
  expect(await differences(tar.bytes, files)).toEqual([])
}

const title = `fetching over bad links (CATALOG_SEED=${seed})${why === undefined ? '' : `: ${why}`}`
describe.skipIf(why !== undefined)(title, { timeout: TEST_TIMEOUT_MS }, () => {
  it('with 1 % loss', async () => {
    await expectFetched(await startFetch({ delayMs: 10, rateMbit: 100, lossPercent: 1 }, 8 * MIB))
  })

  it('with 150 ms round trip, loss and reordering', async () => {
    const link = { delayMs: 75, rateMbit: 50, lossPercent: 0.5, reorderPercent: 2, reorderMs: 10 }
    await expectFetched(await startFetch(link, 1536 * KIB))
  })

  it('that goes away for 30 s', { timeout: OUTAGE_TIMEOUT_MS }, async () => {
    const idle = { 'quic.maxIdleTimeout': '10s', 'quic.keepAliveInterval': '3s' }
    const fetch = await startFetch({ delayMs: 10, rateMbit: 40 }, 12 * MIB, idle)
    await untilPartWay(fetch, 0.3)
    await nodes.hosts.cut()
    await setTimeout(OUTAGE_MS)
    expect((await nodes.sink.ok('GET', '/v1/peers')).peers).toEqual([])
    expect((await operationOf(fetch.id)).state).toBe('running')
    await nodes.hosts.restore()
    await expectFetched(fetch)
  })

  it('when the sink moves to another address', async () => {
    const fetch = await startFetch({ delayMs: 10, rateMbit: 40 }, 12 * MIB)
    await untilPartWay(fetch, 0.3)
    nodes.hosts.right.changeAddress('10.78.0.22')
    await expectFetched(fetch)
  })

  it('when the source moves to another address', async () => {
    const fetch = await startFetch({ delayMs: 10, rateMbit: 40 }, 12 * MIB)
    await untilPartWay(fetch, 0.3)
    nodes.hosts.left.changeAddress('10.78.0.11')
    await expectFetched(fetch)
  })

  it('when the source moves, and no DHT holds the two together', async () => {
    const fetch = await startFetch({ delayMs: 10, rateMbit: 40 }, 12 * MIB, { 'dht.enabled': 'false' })
    await untilPartWay(fetch, 0.3)
    nodes.hosts.left.changeAddress('10.78.0.11')
    await expectFetched(fetch)
  })
})
