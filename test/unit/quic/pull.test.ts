import { describe, expect, test } from 'vitest'
import { type PullOptions, pull } from '../../../protocols/quic/pull.ts'
import type { QuicStream } from '../../../protocols/quic/stream.ts'
import { bytes, fakeStream, LOST, RESET, settle } from './fake-native.ts'

async function readAll(stream: QuicStream, options?: PullOptions): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of pull(stream, options)) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('pull', () => {
  test('reads to the FIN', async () => {
    const { native, stream } = fakeStream()
    native.arrive(bytes('one'), bytes('two'), null)
    expect(await readAll(stream)).toBe('onetwo')
  })

  test('reads what came before it was called, and an end that came before', async () => {
    const { native, stream } = fakeStream()
    native.arrive(bytes('early'), null)
    await settle()
    expect(await readAll(stream)).toBe('early')
    expect(await readAll(stream)).toBe('')
  })

  test.each([
    ['a reset', RESET, 'StreamResetError'],
    ['a lost connection', LOST, 'ConnectionClosedError']
  ])('throws at %s', async (_name, error, name) => {
    const { native, stream } = fakeStream()
    native.arrive(bytes('half'), error)
    await expect(readAll(stream)).rejects.toHaveProperty('name', name)
  })

  test.each([
    ['reset', RESET],
    ['lost', LOST]
  ])('throws when the stream was %s before it was read', async (_name, error) => {
    const { native, stream } = fakeStream()
    native.arrive(error)
    await settle()
    await expect(readAll(stream)).rejects.toHaveProperty('name', 'StreamResetError')
  })

  test('a connection lost after the FIN does not matter', async () => {
    const { native, stream } = fakeStream()
    native.arrive(bytes('all'), bytes('of it'), null)
    const reading = pull(stream)
    expect((await reading.next()).value).toEqual(bytes('all'))
    await settle()
    stream.abort(new Error('gone'))
    expect((await reading.next()).value).toEqual(bytes('of it'))
    expect((await reading.next()).done).toBe(true)
  })

  test('pauses the stream while its consumer is slow', async () => {
    const { native, stream } = fakeStream({ minReadBytes: 100, maxReadBytes: 100 })
    native.arrive(new Uint8Array(10_000), null)
    const reading = pull(stream, { highWaterBytes: 1000 })
    await reading.next()
    await settle()
    const started = native.readsStarted
    expect(stream.readStatus).toBe('paused')
    expect(started).toBeLessThanOrEqual(12)
    let total = 100
    for await (const part of reading) total += part.byteLength
    expect(total).toBe(10_000)
  })

  test('throws the reason of its signal, before and while it waits', async () => {
    const { stream } = fakeStream()
    const controller = new AbortController()
    const waiting = readAll(stream, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(readAll(stream, { signal: controller.signal })).rejects.toThrow('enough')
  })

  test('a stream closed without FIN and without error is no end', async () => {
    const { stream } = fakeStream()
    const waiting = readAll(stream)
    await settle()
    // What libp2p's yamux does to its streams when the TCP connection is lost.
    Object.getPrototypeOf(Object.getPrototypeOf(stream)).onTransportClosed.call(stream)
    await expect(waiting).rejects.toHaveProperty('name', 'ConnectionClosedError')
  })
})
