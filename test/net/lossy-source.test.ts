/** A fetch from one source over a link that loses packets: one QUIC connection alone, and with others beside it where they bring more. */
import { afterEach, describe, expect, it } from 'vitest'
import { MIB } from '../../base/index.ts'
import type { Operation } from '../../node/index.ts'
import { whyNoLink } from '../../testnet/index.ts'
import { eventually } from '../daemon/support.ts'
import { differences, randomFiles } from './support/content.ts'
import { LinkedNodes } from './support/linked-nodes.ts'
import { chooseSeed, Random } from './support/random.ts'

const FETCH_TIMEOUT_MS = 120_000
/** Two pairs of daemons and a slow fetch with each, on a machine that may do other things. */
const TEST_TIMEOUT_MS = 300_000
const LOSSY = { delayMs: 10, rateMbit: 100, lossPercent: 1 }
const LISTEN = '/ip4/0.0.0.0/udp/4747/quic-v1,/ip4/0.0.0.0/tcp/4747'
const seed = chooseSeed()
const why = whyNoLink()

let nodes: LinkedNodes
afterEach(async () => await nodes?.remove())

/** How long the fetch took; everything must be there. */
async function fetchMs(set: Record<string, string>): Promise<number> {
  nodes = await LinkedNodes.create(LOSSY, { 'network.listen': LISTEN, ...set })
  const files = randomFiles(new Random(seed), 16 * MIB, 5)
  const { record } = await nodes.source.publish({ name: 'demo', version: '1.0.0', files })
  await eventually(async () => (await nodes.sink.ok('GET', '/v1/peers')).peers.length > 0)
  const { operation } = await nodes.sink.ok('POST', '/v1/fetches', { spec: 'demo' })
  const ended = await eventually(async () => {
    const found: Operation = (await nodes.sink.ok('GET', `/v1/operations/${operation.id}`)).operation
    return found.state !== 'running' && found
  }, FETCH_TIMEOUT_MS)
  expect(ended.error).toBeUndefined()
  const tar = await nodes.sink.api('GET', `/v1/contents/${record.release.content}/tar`)
  expect(await differences(tar.bytes, files)).toEqual([])
  return (ended.result as { tookMs: number }).tookMs
}

/** Sum over the labels of a metric of the sink. */
const metric = async (name: string): Promise<number> => {
  const text = (await nodes.sink.api('GET', '/metrics')).bytes.toString()
  return [...text.matchAll(new RegExp(`^catalog_${name} (\\d+)$`, 'gm'))].reduce(
    (sum, [, n]) => sum + Number(n),
    0
  )
}
const opened = (): Promise<number> => metric('fetch_extra_connections_total{kind="\\w+",outcome="opened"}')

const title = `a lossy link (CATALOG_SEED=${seed})${why === undefined ? '' : `: ${why}`}`
describe.skipIf(why !== undefined)(title, { timeout: TEST_TIMEOUT_MS }, () => {
  it('is filled at least twice as well with the connections that measured goodput asks for', async () => {
    const aloneMs = await fetchMs({ 'fetch.maxConnections': '1' })
    expect(await opened()).toBe(0)
    await nodes.remove()
    const besideMs = await fetchMs({})
    expect(await opened()).toBeGreaterThan(0)
    console.log(`one connection: ${aloneMs} ms; as many as help: ${besideMs} ms`)
    expect(aloneMs / besideMs).toBeGreaterThan(2)
    // When the fetch is over one connection is left.
    await eventually(
      async () => (await metric('host_open_connections{direction="outbound",transport="\\w+"}')) === 1
    )
  })
})
