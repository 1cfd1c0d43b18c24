import { once } from 'node:events'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { type Clock, MINUTE_MS, SECOND_MS, systemClock } from '../../../base/index.ts'
import { ExtraConnections, type Host } from '../../../node/host/index.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { addressOf, cleanUpAfterEachTest, startHost } from './hosts.ts'
import { LOOPBACK } from './options.ts'

cleanUpAfterEachTest()

const IDLE = '/test/idle'
const limit = (): AbortSignal => AbortSignal.timeout(10_000)
const BOTH = [LOOPBACK, '/ip4/127.0.0.1/tcp/0']

const opener = (
  { libp2p, signal }: Host,
  networkMemoryBytes = 256_000_000,
  maxWays = 4,
  clock: Clock = systemClock
): ExtraConnections =>
  new ExtraConnections(
    { libp2p, signal, clock },
    { maxWays, networkMemoryBytes, maxConnectionDataBytes: 15_000_000, idleProtocol: IDLE }
  )

test('connections beside the first are opened over TCP and QUIC, and closed when nothing uses them', async () => {
  const [a, b] = await Promise.all([startHost({ listen: BOTH }), startHost({ listen: BOTH })])
  const peer = peerIdFromString(b.peerId)
  await b.libp2p.handle([IDLE, '/test/work'], () => {})
  await a.connect(addressOf(b))
  const extra = opener(a)
  const tcp = await extra.open(peer, 'tcp', limit())
  expect(tcp.remoteAddr.toString()).toContain('/tcp/')
  const quic = await extra.open(peer, 'quic', limit())
  expect(quic.multiplexer).toBe('quic')
  expect(a.libp2p.getConnections(peer)).toHaveLength(3)

  // One that is at work is let be until it has done.
  const work = await tcp.newStream('/test/work', { signal: limit() })
  await quic.newStream(IDLE, { signal: limit() })
  const closed = [once(tcp, 'close'), once(quic, 'close')]
  extra.retire(tcp)
  extra.retire(quic)
  await closed[1]
  expect(tcp.status).toBe('open')
  work.abort(new Error('done'))
  await closed[0]
  expect(a.libp2p.getConnections(peer)).toHaveLength(1)
})

test('one on which the remote keeps a stream open is closed all the same', async () => {
  const [a, b] = await Promise.all([startHost(), startHost()])
  await a.libp2p.handle('/test/work', () => {})
  await a.connect(addressOf(b))
  const clock = new ManualClock()
  const extra = opener(a, 60_000_000, 4, clock)
  const connection = await extra.open(peerIdFromString(b.peerId), 'quic', limit())
  const held = await eventually(() => b.libp2p.getConnections(peerIdFromString(a.peerId))[1])
  await held.newStream('/test/work', { signal: limit() })
  await eventually(() => connection.streams.some(({ protocol }) => protocol === '/test/work'))
  extra.retire(connection)
  await clock.advance(4 * MINUTE_MS, SECOND_MS)
  expect(extra.hasRoom).toBe(false)
  const closed = once(connection, 'close')
  await clock.advance(2 * MINUTE_MS, SECOND_MS)
  await closed
  expect(extra.hasRoom).toBe(true)
})

test('there is none to a peer without such an address, none without a first, and none beyond the memory', async () => {
  const [a, b] = await Promise.all([startHost(), startHost()])
  const peer = peerIdFromString(b.peerId)
  await expect(opener(a).open(peer, 'quic', limit())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await a.connect(addressOf(b))
  await expect(opener(a).open(peer, 'tcp', limit())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  // A quarter of it is one full window.
  const narrow = opener(a, 60_000_000)
  const first = await narrow.open(peer, 'quic', limit())
  expect(narrow.hasRoom).toBe(false)
  await expect(narrow.open(peer, 'quic', limit())).rejects.toMatchObject({ code: 'BUSY' })
  const closed = once(first, 'close')
  narrow.retire(first)
  await closed
  expect(narrow.hasRoom).toBe(true)
  const few = opener(a, 256_000_000, 2)
  await few.open(peer, 'quic', limit())
  expect(few.hasRoom).toBe(true)
  await expect(few.open(peer, 'quic', limit())).rejects.toMatchObject({ code: 'BUSY' })
})
