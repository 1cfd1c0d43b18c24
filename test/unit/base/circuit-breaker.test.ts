import { beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, CircuitBreaker, systemClock } from '../../../base/index.ts'

let timeMs = 0
const clock = { ...systemClock, monotonicMs: () => timeMs }
const fail = (): never => {
  throw new CatalogError('DIAL_FAILED', 'down')
}
const create = (): CircuitBreaker =>
  new CircuitBreaker({ clock }, { name: 'part', failureThreshold: 2, coolDownMs: 1000 })

beforeEach(() => {
  timeMs = 0
})

async function open(): Promise<CircuitBreaker> {
  const breaker = create()
  await expect(breaker.run(fail)).rejects.toThrow('down')
  await expect(breaker.run(fail)).rejects.toThrow('down')
  return breaker
}

describe('CircuitBreaker', () => {
  test('opens after failures in a row and says when to come back', async () => {
    const breaker = await open()
    expect(breaker.state).toBe('open')
    timeMs = 400
    await expect(breaker.run(() => 'never runs')).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      details: { name: 'part', retryAfterMs: 600 }
    })
  })

  test('tells how long it refuses, and lets the trial through early when told to', async () => {
    const breaker = await open()
    timeMs = 400
    expect(breaker.openForMs).toBe(600)
    breaker.allowTrial()
    expect([breaker.state, breaker.openForMs]).toEqual(['half-open', 0])
    await expect(breaker.run(fail)).rejects.toThrow('down')
    expect(breaker.openForMs).toBe(1000)
    breaker.allowTrial()
    await breaker.run(() => 'fine')
    breaker.allowTrial()
    expect([breaker.state, breaker.openForMs]).toEqual(['closed', 0])
  })

  test('a success between failures keeps it closed, and so does an abort', async () => {
    const breaker = create()
    const abort = (): never => {
      throw new CatalogError('ABORTED', 'left')
    }
    await expect(breaker.run(fail)).rejects.toThrow()
    await breaker.run(() => 'fine')
    await expect(breaker.run(fail)).rejects.toThrow()
    await expect(breaker.run(abort)).rejects.toThrow('left')
    expect(breaker.state).toBe('closed')
  })

  test('after the cool-down one trial runs and closes it', async () => {
    const breaker = await open()
    timeMs = 1000
    expect(breaker.state).toBe('half-open')
    let end: (value: string) => void = () => undefined
    const trial = breaker.run(() => new Promise<string>(resolve => (end = resolve)))
    await expect(breaker.run(() => 'second')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
    end('well')
    expect(await trial).toBe('well')
    expect(breaker.state).toBe('closed')
  })

  test('a failed trial opens it anew, an aborted one lets another try', async () => {
    const breaker = await open()
    timeMs = 1000
    const abort = (): never => {
      throw new CatalogError('ABORTED', 'left')
    }
    await expect(breaker.run(abort)).rejects.toThrow('left')
    expect(breaker.state).toBe('half-open')
    await expect(breaker.run(fail)).rejects.toThrow('down')
    expect(breaker.state).toBe('open')
    timeMs = 1999
    expect(breaker.state).toBe('open')
    timeMs = 2000
    expect(breaker.state).toBe('half-open')
  })

  test('a call from before the opening does not close it when it ends well', async () => {
    const breaker = create()
    let end: (value: string) => void = () => undefined
    const slow = breaker.run(() => new Promise<string>(resolve => (end = resolve)))
    await expect(breaker.run(fail)).rejects.toThrow()
    await expect(breaker.run(fail)).rejects.toThrow()
    timeMs = 1000
    expect(breaker.state).toBe('half-open')
    end('late')
    await slow
    expect(breaker.state).toBe('half-open')
  })
})
