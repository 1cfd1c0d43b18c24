import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { holdBack } from '../../../node/host/relay-server.ts'

/** As much of a stream as is looked at. */
class FakeStream extends EventTarget {
  status = 'open'
  writableNeedsDrain = false
  readStatus = 'readable'
  pause = (): void => {
    this.readStatus = 'paused'
  }
  resume = (): void => {
    this.readStatus = 'readable'
  }
}

test('a relayed stream is not read while the other side does not take more', () => {
  const [from, to] = [new FakeStream(), new FakeStream()]
  holdBack(from as unknown as Stream, to as unknown as Stream)
  from.dispatchEvent(new Event('message'))
  expect(from.readStatus).toBe('readable')
  to.writableNeedsDrain = true
  from.dispatchEvent(new Event('message'))
  expect(from.readStatus).toBe('paused')
  to.dispatchEvent(new Event('drain'))
  expect(from.readStatus).toBe('readable')
})

test('the end of the other side does not leave it paused', () => {
  const [from, to] = [new FakeStream(), new FakeStream()]
  holdBack(from as unknown as Stream, to as unknown as Stream)
  to.writableNeedsDrain = true
  from.dispatchEvent(new Event('message'))
  to.status = 'reset'
  to.dispatchEvent(new Event('close'))
  from.dispatchEvent(new Event('message'))
  expect(from.readStatus).toBe('readable')
})
