/** Trace contexts from one node to another: what is sent, what is taken, and what is ignored. */
import { context, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CatalogError, systemClock, withSpan } from '../../../base/index.ts'
import { requestMessage, responseMessage } from '../../../protocols/control/frames.ts'
import { Incoming } from '../../../protocols/control/incoming.ts'
import { getRecords } from '../../../protocols/records/types.ts'
import {
  activeTraceparent,
  asking,
  beginAsking,
  beginServing,
  contextOf,
  serving
} from '../../../protocols/wire/trace.ts'

const PEER = '12D3KooWPeer'
const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const NOT_SAMPLED = SAMPLED.replace(/01$/, '00')
const seen = new InMemorySpanExporter()

function provide(sampler?: AlwaysOffSampler): void {
  trace.disable()
  const spanProcessors = [new SimpleSpanProcessor({ exporter: seen })]
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors, ...(sampler && { sampler }) }))
}

beforeEach(() => {
  seen.reset()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  provide()
})
afterEach(() => {
  trace.disable()
  context.disable()
})

const ended = () => seen.getFinishedSpans()

test('the context of who asks is the parent of the span of who answers', async () => {
  let sent = ''
  await withSpan('find', {}, () =>
    asking('find', PEER, async () => {
      sent = activeTraceparent()
    })
  )
  await serving('find', PEER, sent, () => Promise.resolve())
  const [ask, find, serve] = ended()
  expect(ask).toMatchObject({ name: 'ask find', kind: SpanKind.CLIENT })
  expect(ask!.parentSpanContext?.spanId).toBe(find!.spanContext().spanId)
  expect(serve).toMatchObject({ name: 'serve find', kind: SpanKind.SERVER })
  expect(serve!.spanContext().traceId).toBe(find!.spanContext().traceId)
  expect(serve!.parentSpanContext?.spanId).toBe(ask!.spanContext().spanId)
  expect(sent).toBe(`00-${ask!.spanContext().traceId}-${ask!.spanContext().spanId}-01`)
})

test('nothing is sent and no span is made where nothing is traced, or nothing of it is kept', async () => {
  const sentBy = async () => {
    const sent = [await asking('find', PEER, async () => activeTraceparent())]
    return [...sent, beginAsking('content', PEER).traceparent]
  }
  expect(await sentBy()).toEqual(['', ''])
  provide(new AlwaysOffSampler())
  expect(await withSpan('find', {}, sentBy)).toEqual(['', ''])
  provide()
  for (const traceparent of ['', NOT_SAMPLED]) {
    expect(await serving('find', PEER, traceparent, async () => activeTraceparent())).toBe('')
    expect(beginServing('sync', PEER, traceparent).traceparent).toBe('')
  }
  expect(ended()).toEqual([])
})

test('what is served belongs to nothing that goes on here', async () => {
  await withSpan('fetch', {}, async () => {
    expect(await serving('find', PEER, '', async () => activeTraceparent())).toBe('')
    await serving('find', PEER, SAMPLED, () => Promise.resolve())
  })
  expect(ended()[0]!.spanContext().traceId).toBe(SAMPLED.split('-')[1])
})

test('a stream has one span, with the first error that it ends with', () => {
  const span = beginServing('sync', PEER, SAMPLED)
  span.end(new CatalogError('BUSY', 'later'))
  span.end()
  expect(ended()).toMatchObject([{ name: 'serve sync', attributes: { 'error.type': 'BUSY' } }])
})

test('a context is what W3C says it is, and everything else is as none', () => {
  expect(trace.getSpanContext(contextOf(SAMPLED)!)).toMatchObject({ isRemote: true, traceFlags: 1 })
  const changed = fc.tuple(fc.nat(SAMPLED.length - 1), fc.constantFrom('-', 'g', 'F', '\n', 'é'))
  const wrong = fc.oneof(
    fc.string({ maxLength: 300 }),
    changed.map(([at, char]) => SAMPLED.slice(0, at) + char + SAMPLED.slice(at + 1)),
    fc.nat(54).map(length => SAMPLED.slice(0, length)),
    fc.string({ minLength: 1, maxLength: 1000 }).map(more => SAMPLED + more),
    fc.constantFrom(
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      SAMPLED.replace('b7ad6b7169203331', '0'.repeat(16))
    )
  )
  fc.assert(
    fc.property(wrong, text => {
      fc.pre(!/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text) || /-0+-/.test(text))
      expect(contextOf(text)).toBeUndefined()
    }),
    { seed: 6, numRuns: 1000 }
  )
})

test.each(['', SAMPLED, NOT_SAMPLED, 'nonsense', 'x'.repeat(200), '\u0000'.repeat(60)])(
  'a request is answered whatever its context says: %j',
  async traceparent => {
    const send = vi.fn()
    const incoming = new Incoming({
      peerId: { toString: () => PEER } as never,
      clock: systemClock,
      handlers: new Map([[getRecords.method, { type: getRecords, handler: () => ({ records: [] }) }]]),
      send,
      drained: () => Promise.resolve(),
      needsDrain: () => false,
      onServed: () => undefined,
      onError: thrown => expect.unreachable(String(thrown))
    })
    const payload = getRecords.request.encode({ ids: [new Uint8Array(36)] })
    incoming.onRequest(getRecords.method, requestMessage.encode({ id: 1, payload, traceparent }))
    await vi.waitFor(() => expect(send).toHaveBeenCalled())
    expect(responseMessage.decode(send.mock.calls[0]![2])).toMatchObject({ id: 1, status: 0 })
    expect(ended().map(({ name }) => name)).toEqual(traceparent === SAMPLED ? ['serve records.get'] : [])
  }
)
