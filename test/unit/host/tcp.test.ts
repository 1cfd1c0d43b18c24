import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../node/host/index.ts'
import { drained, pull } from '../../../protocols/index.ts'
import { addressOf, cleanUpAfterEachTest, startHost } from './hosts.ts'
import { LOOPBACK } from './options.ts'

cleanUpAfterEachTest()

const TCP_LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const MIB = 1024 * 1024

describe('TCP', () => {
  test('carries a connection, with noise and yamux', async () => {
    const [a, b] = await Promise.all([startHost({ listen: [TCP_LOOPBACK] }), startHost({ listen: [] })])
    expect(addressOf(a)).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//)
    expect(await b.connect(addressOf(a))).toMatchObject({ peerId: a.peerId, addresses: [addressOf(a)] })
    const [connection] = b.libp2p.getConnections() as [Connection]
    expect(connection).toMatchObject({ encryption: '/noise', multiplexer: '/yamux/1.0.0' })
  })

  test('a taken port is LISTEN_FAILED and says what to do', async () => {
    const a = await startHost({ listen: [TCP_LOOPBACK] })
    const taken = addressOf(a).replace(/\/p2p\/.*/, '')
    await expect(startHost({ listen: [taken] })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      hint: expect.stringContaining('free the port'),
      details: { addresses: [taken] }
    })
  })

  test('a denied peer is refused as over QUIC', async () => {
    const b = await startHost({ listen: [] })
    const a = await startHost({ listen: [TCP_LOOPBACK], deny: [b.peerId] })
    await expect(b.connect(addressOf(a))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
  })

  test('another network is refused', async () => {
    const a = await startHost({ listen: [TCP_LOOPBACK], networkId: 'one' })
    const b = await startHost({ listen: [], networkId: 'two' })
    await expect(b.connect(addressOf(a))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
  })
})

describe('TCP beside QUIC', () => {
  test('QUIC is used where both get through', async () => {
    const a = await startHost({ listen: [LOOPBACK, TCP_LOOPBACK] })
    const b = await startHost({ listen: [] })
    await introduce(b, a, a.addresses())
    const peer = await b.connect(`/p2p/${a.peerId}`)
    expect(peer.addresses).toEqual([expect.stringContaining('/quic-v1/')])
  })

  test('TCP stands in when no UDP comes back, long before the dial of the QUIC address is given up', async () => {
    const hole = createSocket('udp4').bind(0, '127.0.0.1')
    await once(hole, 'listening')
    const a = await startHost({ listen: [TCP_LOOPBACK] })
    const b = await startHost({ listen: [], addressDialTimeoutMs: 9000 })
    const quic = `/ip4/127.0.0.1/udp/${hole.address().port}/quic-v1/p2p/${a.peerId}`
    await introduce(b, a, [quic, addressOf(a)])
    const startMs = performance.now()
    const peer = await b.connect(`/p2p/${a.peerId}`)
    expect(performance.now() - startMs).toBeLessThan(5000)
    expect(peer.addresses).toEqual([addressOf(a)])
    hole.close()
  })

  test('a bootstrap peer is reached over TCP when no UDP comes back', async () => {
    const hole = createSocket('udp4').bind(0, '127.0.0.1')
    await once(hole, 'listening')
    const a = await startHost({ listen: [TCP_LOOPBACK] })
    const quic = `/ip4/127.0.0.1/udp/${hole.address().port}/quic-v1/p2p/${a.peerId}`
    const b = await startHost({ listen: [], bootstrap: [quic, addressOf(a)] })
    await expect
      .poll(() => b.peers().map(({ addresses }) => addresses), { timeout: 5000 })
      .toEqual([[addressOf(a)]])
    hole.close()
  })
})

describe('streams over TCP', () => {
  const PROTOCOL = '/bulk/1'

  /** A stream from a host that sends `totalBytes` on it, closes it, and tells how many it has sent. */
  async function bulk(
    totalBytes: number
  ): Promise<{ stream: Stream; sentBytes: () => number; ended: Promise<void> }> {
    const [a, b] = await Promise.all([startHost({ listen: [TCP_LOOPBACK] }), startHost({ listen: [] })])
    let sent = 0
    const done = Promise.withResolvers<void>()
    await a.libp2p.handle(PROTOCOL, async stream => {
      for (; sent < totalBytes; sent += Math.min(MIB, totalBytes - sent)) {
        await drained(stream)
        stream.send(new Uint8Array(Math.min(MIB, totalBytes - sent)))
      }
      await stream.close()
      done.resolve()
    })
    const stream = await b.libp2p.dialProtocol(multiaddr(addressOf(a)), PROTOCOL)
    return { stream, sentBytes: () => sent, ended: done.promise }
  }

  test('a paused reader is not cut off, holds the sender up, and gets every byte later', async () => {
    const total = 64 * MIB
    const { stream, sentBytes } = await bulk(total)
    const reading = pull(stream)
    let bytes = (await reading.next()).value?.byteLength ?? 0
    // Fast at first, so that the window grows as far as it may.
    while (bytes < 24 * MIB) bytes += (await reading.next()).value?.byteLength ?? 0
    let seen = -1
    await expect
      .poll(
        () => {
          const isSame = sentBytes() === seen
          seen = sentBytes()
          return isSame
        },
        { interval: 300, timeout: 10_000 }
      )
      .toBe(true)
    expect(sentBytes()).toBeLessThan(total)
    expect(stream.status).toBe('open')
    for await (const part of reading) bytes += part.byteLength
    expect(bytes).toBe(total)
  })

  test('an end that arrives while bytes wait in a paused stream comes after them', async () => {
    const { stream, ended } = await bulk(100_000)
    stream.pause()
    await ended
    await expect.poll(() => stream.remoteWriteStatus).toBe('closed')
    let bytes = 0
    for await (const part of pull(stream)) bytes += part.byteLength
    expect(bytes).toBe(100_000)
  })

  test('an abort throws waiting bytes away, and that is no end', async () => {
    const [a, b] = await Promise.all([startHost({ listen: [TCP_LOOPBACK] }), startHost({ listen: [] })])
    const isPaused = Promise.withResolvers<void>()
    await a.libp2p.handle(PROTOCOL, async stream => {
      stream.send(new Uint8Array(1000))
      await isPaused.promise
      stream.send(new Uint8Array(50_000))
      await stream.close()
    })
    const stream = await b.libp2p.dialProtocol(multiaddr(addressOf(a)), PROTOCOL)
    const reading = pull(stream)
    await reading.next()
    stream.pause()
    isPaused.resolve()
    await expect.poll(() => stream.remoteWriteStatus).toBe('closed')
    expect(stream.readBufferLength).toBe(50_000)
    stream.abort(new Error('gone'))
    const rest = async (): Promise<void> => {
      for await (const _ of reading);
    }
    await expect(rest()).rejects.toThrow('gone')
  })
})

/** Makes `from` know addresses of `to`, without connecting. */
async function introduce(from: Host, to: Host, addresses: readonly string[]): Promise<void> {
  const multiaddrs = addresses.map(address => multiaddr(address))
  await from.libp2p.peerStore.merge(peerIdFromString(to.peerId), { multiaddrs })
}
