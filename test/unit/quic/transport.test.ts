import { quic } from '@chainsafe/libp2p-quic'
import type { Libp2p, Stream } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, test } from 'vitest'
import {
  connectionRttMs,
  pull,
  type QuicStreamOptions,
  quicTransport
} from '../../../protocols/quic/index.ts'
import { acceptInParallel } from '../../../protocols/quic/listener.ts'
import { asNativeConnection } from '../../../protocols/quic/native.ts'
import { MAX_HELD_RESETS } from '../../../protocols/quic/options.ts'
import type { QuicStream } from '../../../protocols/quic/stream.ts'

const LISTEN = '/ip4/127.0.0.1/udp/0/quic-v1'
const started: Libp2p[] = []

async function node(options: Partial<QuicStreamOptions> = {}, listen = [LISTEN]): Promise<Libp2p> {
  const libp2p = await createLibp2p({
    addresses: { listen },
    transports: [quicTransport({}, options)],
    connectionMonitor: { enabled: false }
  })
  started.push(libp2p)
  return libp2p
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(libp2p => libp2p.stop()))
})

describe('between two nodes over loopback', () => {
  test.each([false, true])('carries 20 MB both ways with half-close (optimistic %s)', async isOptimistic => {
    const [server, client] = await Promise.all([node(), node({ optimisticSelect: () => isOptimistic }, [])])
    const size = 20_000_000
    await server.handle('/sum/1', async stream => {
      let total = 0
      for await (const part of pull(stream)) total += part.byteLength
      const chunk = new Uint8Array(65_536)
      for (let sent = 0; sent < total; sent += chunk.byteLength)
        if (!stream.send(chunk.subarray(0, Math.min(chunk.byteLength, total - sent)))) await stream.onDrain()
      await stream.close()
    })
    const stream = await client.dialProtocol(server.getMultiaddrs(), '/sum/1')
    stream.send(new Uint8Array(size))
    await stream.close()
    let received = 0
    for await (const part of pull(stream)) received += part.byteLength
    expect(received).toBe(size)
    const [connection] = client.getConnections()
    expect(connectionRttMs(connection!)).toBeTypeOf('number')
  })

  test('a dial ends with its signal, and its connection does not appear later', async () => {
    const [server, client] = await Promise.all([node(), node({}, [])])
    const controller = new AbortController()
    const dial = client.dial(server.getMultiaddrs(), { signal: controller.signal })
    controller.abort()
    await expect(dial).rejects.toThrow()
    expect(client.getConnections()).toEqual([])
  })

  test('a remote that reads nothing of streams that are cut loses the connection', async () => {
    const server = await node()
    // Takes less than one native write of the server, however long it goes on after it was paused: each is held up.
    const stingy = { minReadBytes: 4096, maxReadBytes: 4096, readHighWaterBytes: 4096 }
    const client = await createLibp2p({
      transports: [quicTransport({ maxStreamData: 50_000 }, stingy)],
      connectionMonitor: { enabled: false }
    })
    started.push(client)
    const held: Stream[] = []
    await server.handle('/bulk/1', async stream => {
      // A cut while only the answer that agrees to the protocol is on its way is held up by nothing.
      await (stream as QuicStream).flushed
      stream.send(new Uint8Array(1_000_000))
      held.push(stream)
    })
    const connection = await client.dial(server.getMultiaddrs())
    const cutOne = async (): Promise<void> => {
      const stream = await connection.newStream('/bulk/1')
      stream.pause()
      await expect.poll(() => held.length).toBe(1)
      held.pop()!.abort(new Error('the peer did not take an answer'))
    }
    for (let cut = 0; cut < MAX_HELD_RESETS; cut++) await cutOne()
    expect(server.getConnections()).toHaveLength(1)
    await cutOne()
    expect(server.getConnections()).toEqual([])
    await expect.poll(() => connection.status).not.toBe('open')
  })

  test('a stream whose negotiation is aborted is gone on both sides', async () => {
    const [server, client] = await Promise.all([node(), node({}, [])])
    const connection = await client.dial(server.getMultiaddrs())
    const signal = AbortSignal.abort(new Error('changed my mind'))
    await expect(connection.newStream('/nobody/1', { signal })).rejects.toThrow('changed my mind')
    await expect.poll(() => connection.streams.length).toBe(0)
    await expect.poll(() => server.getConnections()[0]?.streams.length).toBe(0)
  })
})

describe('internals of libp2p-quic that are gone', () => {
  const code = expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('has changed') })

  test('a listener without its accept loop', () => {
    expect(() => acceptInParallel({} as never, 1)).toThrow(code)
  })

  test('a listener without its state', () => {
    const listener = { awaitInboundConnections() {}, onInboundConnection() {} }
    expect(() => acceptInParallel(listener as never, 1)).toThrow(code)
  })

  test('a native connection without a method', () => {
    expect(() => asNativeConnection({ inboundStream() {} })).toThrow('no outboundStream()')
  })

  test('a transport that is not the stock one', () => {
    expect(quic).toBeTypeOf('function')
    expect(() => quicTransport()({} as never)).toThrow()
  })
})
