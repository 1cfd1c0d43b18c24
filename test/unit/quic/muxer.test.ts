import { describe, expect, test } from 'vitest'
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
