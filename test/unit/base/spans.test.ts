import { SpanStatusCode, type Tracer, type TracerProvider, trace } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'
import { CatalogError, withSpan } from '../../../base/index.ts'

afterEach(() => trace.disable())

/** A provider that writes down what is told of spans. */
function recorder(): { told: unknown[] } {
  const told: unknown[] = []
  const tell = (what: string) => (given?: unknown) =>
    void told.push(given === undefined ? [what] : [what, given])
  const span = {
    setAttributes: tell('attributes'),
    recordException: tell('exception'),
    setAttribute: (name: string, value: unknown) => void told.push(['attribute', name, value]),
    setStatus: tell('status'),
    end: tell('end')
  }
  const startActiveSpan = (
    name: string,
    options: { attributes: object },
    work: (one: unknown) => unknown
  ) => {
    told.push(['start', name, options.attributes])
    return work(span)
  }
  const provider = { getTracer: () => ({ startActiveSpan }) as unknown as Tracer }
  trace.setGlobalTracerProvider(provider as TracerProvider)
  return { told }
}

test('a span ends once, with the attributes and the error it was given', async () => {
  const { told } = recorder()
  expect(
    await withSpan('fine', { name: 'demo' }, span => {
      span.setAttributes({ bytes: 7 })
      return 'result'
    })
  ).toBe('result')
  const failing = withSpan('failing', {}, () => {
    throw new CatalogError('TIMEOUT', 'too late')
  })
  await expect(failing).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(told).toEqual([
    ['start', 'fine', { name: 'demo' }],
    ['attributes', { bytes: 7 }],
    ['end'],
    ['start', 'failing', {}],
    ['exception', { name: 'TIMEOUT', message: 'too late' }],
    ['attribute', 'error.type', 'TIMEOUT'],
    ['status', { code: SpanStatusCode.ERROR, message: 'TIMEOUT' }],
    ['end']
  ])
})

test('nothing is kept and nothing changes without a provider', async () => {
  expect(trace.getActiveSpan()).toBeUndefined()
  expect(await withSpan('fine', {}, () => trace.getActiveSpan())).toBeUndefined()
  // Not even a span is made.
  const [one, other] = [await withSpan('one', {}, span => span), await withSpan('other', {}, span => span)]
  expect(one).toBe(other)
  await expect(withSpan('failing', {}, () => Promise.reject(new Error('as it came')))).rejects.toThrow(
    'as it came'
  )
})
