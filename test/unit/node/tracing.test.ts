/** What keeps tracing within bounds: of what peers have this node keep, and of what a collector does not take. */
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { type ReadableSpan, SamplingDecision, type Span, type SpanExporter } from '@opentelemetry/sdk-trace'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { BoundedSpans, MAX_WAITING_SPANS, TELL_EVERY_MS } from '../../../node/tracing/bounded-spans.ts'
import { PEER_SPANS, PeerSampler } from '../../../node/tracing/peer-sampler.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

function world() {
  const clock = new ManualClock()
  const metrics = new Registry()
  const warned: Array<{ lost: number }> = []
  const queue: ReadableSpan[] = []
  const exports: Array<(error?: Error, code?: number) => void> = []
  const begun: unknown[] = []
  const ended: unknown[] = []
  const exporter: SpanExporter = {
    export: (_spans, done) =>
      void exports.push((error, code = error === undefined ? 0 : 1) =>
        done(error === undefined ? { code } : { code, error })
      ),
    shutdown: () => Promise.resolve()
  }
  let counted: SpanExporter | undefined
  const logger = { warn: (fields: { lost: number }) => void warned.push(fields) } as never
  const bounded = new BoundedSpans({ exporter, clock, logger, metrics }, given => {
    counted = given
    return {
      onStart: span => void begun.push(span),
      onEnd: span => void queue.push(span),
      forceFlush: () => Promise.resolve(),
      shutdown: () => given.shutdown()
    }
  })
  return {
    ...{ clock, warned, queue, exports, begun, ended },
    begin: (span: Span) => bounded.onStart(span, ROOT_CONTEXT),
    end: (count: number) => {
      for (let at = 0; at < count; at++) bounded.onEnd({} as ReadableSpan)
    },
    /** The next batch is handed to the exporter. */
    send: (count: number) => counted!.export(queue.splice(0, count), result => void ended.push(result.code)),
    waiting: async () =>
      (await metrics.getSingleMetric('catalog_tracing_waiting_spans')!.get()).values[0]?.value,
    outcomes: async () => {
      const { values } = (await metrics
        .getSingleMetric('catalog_tracing_ended_spans_total')!
        .get()) as never as {
        values: Array<{ labels: { outcome: string }; value: number }>
      }
      return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]))
    }
  }
}

test('the queue hears of each start, and of what became of what it sent', async () => {
  const { begin, begun, end, send, exports, ended, waiting, outcomes } = world()
  begin('one' as never)
  expect(begun).toEqual(['one'])
  end(3)
  send(2)
  expect(await waiting()).toBe(3)
  exports[0]!()
  send(1)
  exports[1]!(undefined, 1)
  expect([ended, await waiting()]).toEqual([[0, 1], 0])
  expect(await outcomes()).toEqual({ sent: 2, failed: 1 })
})

test('no more spans wait than there is room for, those on their way included', async () => {
  const { end, send, exports, queue, outcomes } = world()
  end(MAX_WAITING_SPANS)
  send(500)
  end(100)
  expect(queue).toHaveLength(MAX_WAITING_SPANS - 500)
  exports[0]!()
  end(600)
  expect(queue).toHaveLength(MAX_WAITING_SPANS)
  expect(await outcomes()).toEqual({ sent: 500, dropped: 200 })
})

test('a collector that takes nothing is told of once in a while, with what was lost', async () => {
  const { end, send, exports, warned, clock, outcomes } = world()
  const fail = (): void => {
    end(10)
    send(10)
    exports.at(-1)!(new Error('connect ECONNREFUSED'))
  }
  for (let at = 0; at < 50; at++) fail()
  expect(warned.map(({ lost }) => lost)).toEqual([10])
  await clock.advance(TELL_EVERY_MS)
  fail()
  expect(warned.map(({ lost }) => lost)).toEqual([10, 500])
  expect(await outcomes()).toEqual({ failed: 510 })
})

test('a peer has only so many spans kept, others and clients as many as they say', async () => {
  const clock = new ManualClock()
  const sampler = new PeerSampler({ clock })
  const kept = (count: number, peer?: string): number =>
    Array.from({ length: count }).filter(() => {
      const attributes = peer === undefined ? {} : { 'catalog.peer.id': peer }
      const { decision } = sampler.shouldSample(ROOT_CONTEXT, '', 'serve find', SpanKind.SERVER, attributes)
      return decision === SamplingDecision.RECORD_AND_SAMPLED
    }).length
  expect(kept(1000, 'a')).toBe(PEER_SPANS.burst)
  expect(kept(10, 'b')).toBe(10)
  expect(kept(1000)).toBe(1000)
  await clock.advance(1000)
  expect(kept(1000, 'a')).toBe(PEER_SPANS.perSecond)
})
