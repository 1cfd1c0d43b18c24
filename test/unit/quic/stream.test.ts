import { describe, expect, test } from 'vitest'
import { bytes, FakeNativeStream, fakeStream, LOST, RESET, record, STOPPED, settle } from './fake-native.ts'

const MIB = 1024 * 1024

describe('reading', () => {
  test('delivers bytes, then the FIN, then closes in order once both sides are done', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    native.arrive(bytes('one'), null)
    await settle()
    expect(events).toEqual(['one', 'fin'])
    await stream.close()
    expect(events).toEqual(['one', 'fin', 'close in order'])
    expect(native.isFinished).toBe(true)
  })

  test.each([
    ['a reset', RESET, 'close StreamResetError'],
    ['a lost connection', LOST, 'close ConnectionClosedError'],
    ['a native stream used after its end', new Error('closed stream'), 'close ConnectionClosedError']
  ])('%s is an error and never a FIN', async (_name, error, close) => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    native.arrive(bytes('half'), error)
    await settle()
    expect(events).toEqual(['half', close])
    expect(native.isReset && native.isStopped).toBe(true)
  })

  test('starts no native read while paused, and delivers what came when resumed', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    stream.pause()
    native.arrive(bytes('late'), null)
    await settle()
    expect(native.readsStarted).toBe(0)
    expect(stream.stalledSinceMs).toBeGreaterThan(0)
    stream.resume()
    await settle()
    expect(events).toEqual(['late', 'fin'])
  })

  test('stops reading when nobody listens and its buffer is full', async () => {
    const { native, stream } = fakeStream({
      readHighWaterBytes: 1000,
      minReadBytes: 1000,
      maxReadBytes: 1000
    })
    native.arrive(new Uint8Array(MIB))
    await settle()
    expect(native.readsStarted).toBe(1)
    expect(stream.readBufferLength).toBe(1000)
    const events = record(stream)
    await settle()
    expect(events.length).toBeGreaterThan(1)
  })

  test('holds the FIN back until a paused reader has taken all bytes', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    stream.addEventListener('message', () => stream.pause(), { once: true })
    native.arrive(bytes('a'), bytes('b'), null)
    await settle()
    expect(events).toEqual(['a'])
    stream.resume()
    await settle()
    expect(events).toEqual(['a', 'b', 'fin'])
  })

  test('sees the FIN after closeRead of a paused stream', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    stream.pause()
    native.arrive(bytes('unwanted'), null)
    await stream.closeRead()
    await settle()
    expect(events).toEqual(['fin'])
  })

  test('delivers what had come before the connection was lost, then fails', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    await settle()
    stream.onTransportClosed(new Error('gone'))
    native.arrive(bytes('last words'), LOST)
    await settle()
    expect(events).toEqual(['last words', 'close Error'])
  })

  test('a paused stream fails at once when the connection is lost', async () => {
    const { stream } = fakeStream()
    const events = record(stream)
    stream.pause()
    await settle()
    stream.onTransportClosed(new Error('gone'))
    expect(events).toEqual(['close Error'])
  })

  test('a stream complete in both directions outlives its connection until it is read', async () => {
    const { native, stream } = fakeStream()
    native.arrive(bytes('all of it'), null)
    await stream.close()
    await settle()
    stream.onTransportClosed(new Error('gone'))
    const events = record(stream)
    await settle()
    expect(events).toEqual(['all of it', 'fin', 'close in order'])
  })
})

describe('writing', () => {
  test('has one native write in flight and keeps the order', async () => {
    const { native, stream } = fakeStream({ maxWriteBytes: 4 })
    for (const text of ['ab', 'cdefghij', 'k', 'l', 'm']) stream.send(bytes(text))
    await stream.close()
    expect(native.maxWritesInFlight).toBe(1)
    expect(Buffer.concat(native.written).toString()).toBe('abcdefghijklm')
    expect(Math.max(...native.written.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(4)
  })

  test('asks to wait at the high water mark, and onDrain waits each time', async () => {
    const { native, stream } = fakeStream({
      writeHighWaterBytes: 10,
      writeLowWaterBytes: 0,
      maxWriteBytes: 10
    })
    native.holdsWrites = true
    for (let round = 0; round < 3; round++) {
      expect(stream.send(new Uint8Array(10))).toBe(false)
      let isDrained = false
      const drained = stream.onDrain().then(() => {
        isDrained = true
      })
      await settle()
      expect(isDrained).toBe(false)
      native.release()
      await drained
    }
  })

  test('onDrain rejects when the stream dies, and when it is dead', async () => {
    const { native, stream } = fakeStream({ writeHighWaterBytes: 10 })
    native.holdsWrites = true
    expect(stream.send(new Uint8Array(10))).toBe(false)
    const waiting = stream.onDrain()
    stream.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(stream.onDrain()).rejects.toThrow('aborted')
  })

  test.each([
    ['the remote stops the stream', STOPPED, 'close StreamResetError'],
    ['the connection is lost', LOST, 'close ConnectionClosedError']
  ])('close() rejects with an Error when %s while it writes', async (_name, error, close) => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    native.holdsWrites = true
    stream.send(bytes('data'))
    const closing = stream.close()
    closing.catch(() => {})
    native.release(error)
    if (error === LOST) native.arrive(LOST)
    await expect(closing).rejects.toBeInstanceOf(Error)
    await settle()
    expect(events).toEqual([close])
    expect(native.isFinished).toBe(false)
  })

  test('close() with queued data and a full buffer rejects with an Error, not an event', async () => {
    const { native, stream } = fakeStream({ writeHighWaterBytes: 1 })
    native.holdsWrites = true
    stream.send(bytes('one'))
    stream.send(bytes('two'))
    const closing = stream.close()
    closing.catch(() => {})
    stream.abort(new Error('gave up'))
    await expect(closing).rejects.toBeInstanceOf(Error)
  })

  test('aborting while a write is in flight resets and leaves nothing behind', async () => {
    const { native, stream } = fakeStream()
    native.holdsWrites = true
    stream.send(bytes('one'))
    stream.abort(new Error('enough'))
    native.release()
    await settle()
    expect(native.isReset && native.isStopped).toBe(true)
    expect(native.written).toHaveLength(1)
    expect(stream.stalledSinceMs).toBeUndefined()
  })

  test('a sender that ignores back-pressure has its stream aborted', async () => {
    const { native, stream } = fakeStream({ writeHighWaterBytes: 1, maxWriteBufferBytes: 1000 })
    native.holdsWrites = true
    const events = record(stream)
    for (let i = 0; i < 10 && stream.status === 'open'; i++) stream.send(new Uint8Array(500))
    expect(events).toEqual(['close StreamBufferError'])
  })

  test('half-close: the reader goes on after the writer has ended', async () => {
    const { native, stream } = fakeStream()
    const events = record(stream)
    await stream.close()
    expect(() => stream.send(bytes('late'))).toThrow()
    native.arrive(bytes('answer'), null)
    await settle()
    expect(events).toEqual(['answer', 'fin', 'close in order'])
  })
})

describe('optimistic negotiation', () => {
  const ANSWER = '\x13/multistream/1.0.0\n\x05/x/1\n'

  test('sends data at once and hides the answer', async () => {
    const { native, stream } = fakeStream({}, '/x/1')
    const events = record(stream)
    stream.send(bytes('request'))
    native.arrive(bytes(ANSWER.slice(0, 7)), bytes(`${ANSWER.slice(7)}reply`), null)
    await settle()
    expect(Buffer.concat(native.written).toString()).toBe(`${ANSWER}request`)
    expect(events).toEqual(['reply', 'fin'])
  })

  test.each([
    ['a refusal', [bytes('\x13/multistream/1.0.0\n\x03na\n')]],
    ['an early end', [bytes(ANSWER.slice(0, 9)), null]]
  ])('%s fails the stream', async (_name, arriving) => {
    const { native, stream } = fakeStream({}, '/x/1')
    const events = record(stream)
    native.arrive(...arriving)
    await settle()
    expect(events).toEqual(['close UnsupportedProtocolError'])
  })
})

test('the fake refuses two reads at once, as the decorator must', async () => {
  const native = new FakeNativeStream()
  void native.read(1)
  await expect(native.read(1)).rejects.toThrow('two reads')
})
