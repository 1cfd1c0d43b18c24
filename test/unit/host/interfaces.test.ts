import { once } from 'node:events'
import type { StreamCloseEvent } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, test, vi } from 'vitest'
import type { Clock } from '../../../base/index.ts'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { parseAddress } from '../../../node/host/addresses.ts'
import { checkPeers, machineAddresses, watchInterfaces } from '../../../node/host/interfaces.ts'
import { Keeper } from '../../../node/host/keeper.ts'
import { fromTransport } from '../../../protocols/index.ts'
import { addressOf, cleanUpAfterEachTest, newKey, startHost } from './hosts.ts'

cleanUpAfterEachTest()

test('tells of addresses that went and came, and of nothing else', async () => {
  const looks = [
    ['a', 'b'],
    ['a', 'b'],
    ['b', 'c'],
    ['b', 'c']
  ]
  const stop = new AbortController()
  const list = (): string[] => {
    const now = looks.shift()
    if (now === undefined) stop.abort()
    return now ?? ['b', 'c']
  }
  const changes: unknown[] = []
  const clock = { wait: async () => {} } as unknown as Clock
  await watchInterfaces({ clock, list, onChange: change => changes.push(change) }, stop.signal)
  expect(changes).toEqual([{ gone: ['a'], come: ['c'] }])
})

test('knows the addresses of this machine but loopback', () => {
  expect(machineAddresses()).not.toContain('127.0.0.1')
})

test('a peer that waits to be dialled again is dialled at once after a change', async () => {
  const tries: number[] = []
  const begun = Promise.withResolvers<void>()
  const { peerId } = await newKey()
  const keeper = new Keeper({
    libp2p: {} as never,
    // Waits as long as nobody is in a hurry.
    clock: {
      ...systemClock,
      monotonicMs: () => 0,
      wait: (_ms: number, signal?: AbortSignal) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    } as unknown as Clock,
    log: silentLogger,
    random: () => 0,
    dial: async () => {
      tries.push(tries.length)
      throw new Error('nobody there')
    },
    onUnreachable: () => begun.resolve()
  })
  keeper.keep(parseAddress(`/ip4/127.0.0.1/udp/9/quic-v1/p2p/${peerId}`))
  await begun.promise
  await vi.waitUntil(() => tries.length === 1)
  await new Promise(resolve => setImmediate(resolve))
  keeper.redialAll()
  await vi.waitUntil(() => tries.length === 2)
  keeper.stop()
})

test('a peer that answers stays connected, and one that does not is let go', async () => {
  const [a, b, c] = await Promise.all([startHost(), startHost(), startHost()])
  await c.connect(addressOf(a))
  await c.connect(addressOf(b))
  await b.libp2p.unhandle('/catalog/main/ping/1.0.0')
  await b.libp2p.handle('/test/silent', () => {})
  const stream = await c.libp2p.dialProtocol(peerIdFromString(b.peerId), '/test/silent')
  const ended = once(stream, 'close') as Promise<[StreamCloseEvent]>
  const gone = once(c.events, 'disconnected')
  await checkPeers(c.libp2p, silentLogger, new AbortController().signal)
  expect(await gone).toEqual([b.peerId])
  expect(c.peers().map(({ peerId }) => peerId)).toEqual([a.peerId])
  // What was under way must be known for a loss, which is tried again.
  const [{ error }] = await ended
  expect(fromTransport(error, b.peerId)).toMatchObject({ code: 'STREAM_TRUNCATED' })
})
