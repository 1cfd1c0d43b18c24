/** What daemons tell a collector of traces: one trace over several nodes, each span with its parent; and a collector that is away. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, type TestDaemon, TestNet, tarOf } from './support.ts'

interface Told {
  node: string
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  kind: number
  attributes: Record<string, unknown>
}
interface Otlp {
  attributes: Array<{ key: string; value: Record<string, unknown> }>
}
interface OtlpRequest {
  resourceSpans: Array<{
    resource: Otlp
    scopeSpans: Array<{ spans: Array<Omit<Told, 'node' | 'attributes'> & Otlp> }>
  }>
}

const valuesOf = ({ attributes }: Otlp): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

const told: Told[] = []
/** A collector: takes OTLP over HTTP as JSON. */
const collector = http.createServer(async (request, response) => {
  const { resourceSpans } = (await json(request)) as OtlpRequest
  for (const { resource, scopeSpans } of resourceSpans)
    for (const span of scopeSpans.flatMap(({ spans }) => spans))
      told.push({
        ...span,
        node: String(valuesOf(resource)['service.instance.id']),
        attributes: valuesOf(span)
      })
  response.setHeader('content-type', 'application/json').end('{}')
})

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const ROOT_ID = '00f067aa0ba902b7'
const OURS = { traceparent: `00-${TRACE_ID}-${ROOT_ID}-01` }
const SERVER = 2

let net: TestNet
let ada: TestDaemon
let ben: TestDaemon
let mia: TestDaemon

beforeAll(async () => {
  await once(collector.listen(0, '127.0.0.1'), 'listening')
  const { port } = collector.address() as AddressInfo
  net = await TestNet.create()
  const set = { 'tracing.endpoint': `http://127.0.0.1:${port}` }
  ada = await net.start('ada', { set })
  ben = await net.start('ben', { join: ada, set })
  mia = await net.start('mia', {
    join: ada,
    set: {
      ...set,
      'mirroring.enabled': 'true',
      'sync.follow': ada.peerId,
      'mirror.min': '1',
      'mirror.target': '1'
    }
  })
})
afterAll(async () => {
  await net.destroy()
  collector.close()
})

/** One operation as a part of our trace. */
async function traced(daemon: TestDaemon, path: string, body: unknown): Promise<void> {
  const { json: answer } = await daemon.api('POST', path, body, OURS)
  expect(await daemon.untilEnded(answer.operation.id)).toMatchObject({ state: 'done' })
}

const named = (name: string, of: TestDaemon, traceId = TRACE_ID): Told | undefined =>
  told.find(span => span.name === name && span.node === of.peerId && span.traceId === traceId)

/** From a span up to the first whose parent nobody told of. */
function wayUp(span: Told): string[] {
  const parent = told.find(({ spanId }) => spanId === span.parentSpanId)
  return [span.name, ...(parent === undefined ? [] : wayUp(parent))]
}

/** A span of one of some nodes, with what stands above it; each node tells of its own when it is time. */
const expectWay = (name: string, of: TestDaemon[], above: string[], traceId = TRACE_ID): Promise<void> =>
  expect
    .poll(() => of.map(daemon => named(name, daemon, traceId)).flatMap(span => (span ? [wayUp(span)] : [])), {
      timeout: 30_000
    })
    .toContainEqual([name, ...above])

test('what one node asks of another is one trace, from the client to the last node', async () => {
  const stored = await ada.ok('POST', '/v1/ingests', await tarOf({ 'readme.md': 'read me' }))
  const record = await ada.sign({ name: 'lib', version: '1.0.0' }, stored)
  await traced(ada, '/v1/packages', { record: Buffer.from(record.bytes).toString('base64'), wait: 1 })
  await traced(ben, '/v1/fetches', { spec: 'lib@1.0.0' })
  await traced(ben, '/v1/sync', { peer: ada.peerId })

  await expectWay('discovery.announce', [ada], ['publish', 'request'])
  await expectWay('serve provide', [ben, mia], ['ask provide', 'discovery.announce', 'publish', 'request'])
  await expectWay('serve records.list', [ada], ['ask records.list', 'find', 'fetch', 'request'])
  await expectWay('serve content', [ada], ['ask content', 'fetch.content', 'fetch', 'request'])
  await expectWay('serve sync', [ada], ['ask sync', 'sync', 'request'])
  // Each served by the node that was asked, with what asked it as its parent and the given root above all.
  const served = told.filter(({ kind, name }) => kind === SERVER && name.startsWith('serve '))
  for (const span of served) {
    const parent = told.find(({ spanId }) => spanId === span.parentSpanId)
    if (parent === undefined) continue // its node has not told yet
    expect(parent.name).toBe(span.name.replace('serve', 'ask'))
    expect(parent.traceId).toBe(span.traceId)
    expect(span.attributes['catalog.peer.id']).toBe(parent.node)
    expect(parent.attributes['catalog.peer.id']).toBe(span.node)
  }
  const roots = told.filter(({ traceId, name }) => traceId === TRACE_ID && name === 'request')
  expect(roots.map(({ parentSpanId }) => parentSpanId)).toEqual(roots.map(() => ROOT_ID))
})

test('a copy that a mirror takes by itself is a trace of its own, over the node that gives it', async () => {
  const mirrored = await eventually(() =>
    told.find(({ name, node }) => name === 'mirror' && node === mia.peerId)
  )
  const { traceId, attributes } = mirrored!
  expect(attributes).toMatchObject({ 'catalog.release.name': 'lib' })
  const way = ['ask content', 'fetch.content', 'fetch', 'mirror']
  await expectWay('serve content', [ada, ben], way, traceId)
})

test('a collector that is away costs spans and nothing else', async () => {
  const dan = await net.start('dan', { set: { 'tracing.endpoint': 'http://127.0.0.1:9' } })
  for (const _ of Array.from({ length: 20 })) await dan.ok('GET', '/v1/status')
  expect((await dan.stop()).code).toBe(0)
  const lines = (await dan.log()).filter(({ part }) => part === 'tracing')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.length).toBeLessThan(4)
})
