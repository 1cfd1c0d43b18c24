import { afterEach, describe, expect, test, vi } from 'vitest'
import { HELD_RESET_MS, MAX_HELD_RESETS } from '../../../protocols/quic/options.ts'
import type { QuicStream } from '../../../protocols/quic/stream.ts'
import { bytes, FakeNativeStream, fakeMuxer, LOST, RESET, record, STOPPED, settle } from './fake-native.ts'

const CLOSED_BY_PEER = new Error('closed by peer: 0')

describe('who hears that the connection is gone, and dials again, finds it closed: it is closed by', () => {
  test('a read', async () => {
    const { native, maConn, muxer } = fakeMuxer()
    const stream = await muxer.createStream({})
    const events = record(stream)
    stream.addEventListener('close', () => events.push(`connection ${maConn.status}`))
    native.outbound.arrive(bytes('last words'), LOST)
    await settle()
    expect(events).toEqual(['last words', 'close ConnectionClosedError', 'connection aborted'])
    expect(muxer.status).toBe('closed')
  })

  test('a write', async () => {
    const { native, maConn, muxer } = fakeMuxer()
    const stream = await muxer.createStream({})
    native.outbound.holdsWrites = true
    stream.send(bytes('request'))
    native.outbound.release(LOST)
    await settle()
    expect(maConn.status).toBe('aborted')
  })

  test('an accept', async () => {
    const { native, maConn } = fakeMuxer()
    native.inbound.reject(CLOSED_BY_PEER)
    await settle()
    expect(maConn.status).toBe('aborted')
  })

  test('an opening', async () => {
    const { native, maConn, muxer } = fakeMuxer()
    native.refusal = CLOSED_BY_PEER
    const status = await muxer.createStream({}).catch(() => maConn.status)
    expect(status).toBe('aborted')
  })
})

test('a stream that reads on when another finds the connection gone gets its last bytes', async () => {
  const { native, muxer } = fakeMuxer()
  const [inbound, outbound] = [new FakeNativeStream(), await muxer.createStream({})]
  const accepted = Promise.withResolvers<QuicStream>()
  muxer.addEventListener('stream', ({ detail }) => accepted.resolve(detail))
  native.inbound.resolve(inbound)
  const events = record(await accepted.promise)
  await settle()
  native.outbound.arrive(LOST)
  await settle()
  expect(outbound.status).toBe('aborted')
  inbound.arrive(bytes('goodbye'), LOST)
  await settle()
  expect(events).toEqual(['goodbye', 'close ConnectionClosedError'])
})

test.each([
  ['reset', RESET],
  ['stopped', STOPPED],
  ['used after its end', new Error('closed stream')]
])('a stream that was %s leaves its connection open', async (_name, error) => {
  const { native, maConn, muxer } = fakeMuxer()
  const stream = await muxer.createStream({})
  native.outbound.arrive(error)
  await settle()
  expect(stream.status).not.toBe('open')
  expect(maConn.status).toBe('open')
  expect(muxer.status).toBe('open')
})

describe('streams that were cut while the remote does not read', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Streams of one connection, each cut with a write under way, which the remote holds up. */
  async function cut(count: number) {
    const scene = fakeMuxer()
    const streams: FakeNativeStream[] = []
    scene.native.open = () => {
      const stream = new FakeNativeStream()
      stream.holdsWrites = true
      streams.push(stream)
      return stream
    }
    for (let i = 0; i < count; i++) {
      const stream = await scene.muxer.createStream({})
      stream.send(bytes('answer'))
      stream.abort(new Error('the peer did not take an answer'))
    }
    return { ...scene, streams }
  }

  test('are a few: one more ends the connection', async () => {
    const { maConn, muxer } = await cut(MAX_HELD_RESETS)
    expect(maConn.status).toBe('open')
    const stream = await muxer.createStream({})
    stream.send(bytes('answer'))
    stream.abort(new Error('cut'))
    expect(maConn.status).toBe('aborted')
  })

  test('may stay a while, and then end the connection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { maConn } = await cut(1)
    await vi.advanceTimersByTimeAsync(HELD_RESET_MS - 1)
    expect(maConn.status).toBe('open')
    await vi.advanceTimersByTimeAsync(1)
    expect(maConn.status).toBe('aborted')
  })

  test('are forgotten once the remote has read', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { streams, maConn } = await cut(MAX_HELD_RESETS)
    for (const stream of streams) stream.release(STOPPED)
    await settle()
    await vi.advanceTimersByTimeAsync(2 * HELD_RESET_MS)
    expect(maConn.status).toBe('open')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('are none of those that the remote itself ends, however many at once', async () => {
    const { native, maConn, muxer } = fakeMuxer()
    const streams: FakeNativeStream[] = []
    native.open = () => {
      const stream = new FakeNativeStream()
      stream.holdsWrites = true
      streams.push(stream)
      return stream
    }
    for (let i = 0; i <= MAX_HELD_RESETS; i++) (await muxer.createStream({})).send(bytes('answer'))
    for (const stream of streams) stream.release(STOPPED)
    await settle()
    expect(streams.every(({ isReset }) => isReset)).toBe(true)
    expect(maConn.status).toBe('open')
  })

  test('count only with a write under way', async () => {
    const { maConn, muxer } = fakeMuxer()
    for (let i = 0; i <= MAX_HELD_RESETS; i++) (await muxer.createStream({})).abort(new Error('cut'))
    expect(maConn.status).toBe('open')
  })
})
