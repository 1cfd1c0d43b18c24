/** Which losses of a peer count as silence: those that no side brought about. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import type { Host } from '../../../node/host/index.ts'
import { isConnectionTimedOut } from '../../../protocols/index.ts'
import { addressOf, cleanUpAfterEachTest, startHost } from './hosts.ts'
import { LOOPBACK_OPTIONS } from './options.ts'

cleanUpAfterEachTest()

const QUICK = { quic: { ...LOOPBACK_OPTIONS.quic, maxIdleTimeoutMs: 1000, keepAliveIntervalMs: 300 } }

/** Passes datagrams on between one peer and a host, until it is closed. */
async function wireTo(host: Host): Promise<{ address: string; cut(): void }> {
  const [, , , , port] = addressOf(host).split('/')
  const sockets: Socket[] = [
    createSocket('udp4').bind(0, '127.0.0.1'),
    createSocket('udp4').bind(0, '127.0.0.1')
  ]
  const [outer, inner] = sockets as [Socket, Socket]
  await Promise.all(sockets.map(socket => once(socket, 'listening')))
  let peerPort = 0
  outer.on('message', (bytes, from) => {
    peerPort = from.port
    inner.send(bytes, Number(port), '127.0.0.1')
  })
  inner.on('message', bytes => outer.send(bytes, peerPort, '127.0.0.1'))
  return {
    address: `/ip4/127.0.0.1/udp/${outer.address().port}/quic-v1/p2p/${host.peerId}`,
    cut: () => {
      for (const socket of sockets) socket.close()
    }
  }
}

/** What a host tells of the end of its only connection, by then and a little later. */
async function endAt(host: Host): Promise<string[]> {
  const heard: string[] = []
  host.events.on('silent', peerId => heard.push(`silent ${peerId}`))
  const [connection] = host.libp2p.getConnections()
  await once(host.events, 'disconnected')
  // It is known then, and told at the next turn.
  await isConnectionTimedOut(connection!)
  await new Promise(resolve => setImmediate(resolve))
  return heard
}

async function pair(): Promise<{ a: Host; b: Host; cut(): void }> {
  const [a, b] = await Promise.all([startHost(QUICK), startHost(QUICK)])
  const { address, cut } = await wireTo(b)
  const met = once(b.events, 'connected')
  await a.connect(address)
  await met
  return { a, b, cut }
}

test('a way that is gone is silence, at both ends', async () => {
  const { a, b, cut } = await pair()
  const ends = Promise.all([endAt(a), endAt(b)])
  cut()
  expect(await ends).toEqual([[`silent ${b.peerId}`], [`silent ${a.peerId}`]])
})

test('who hangs up, or is hung up on, is not silent', async () => {
  const { a, b, cut } = await pair()
  const ends = Promise.all([endAt(a), endAt(b)])
  await a.disconnect(b.peerId)
  expect(await ends).toEqual([[], []])
  cut()
})

test('who stops is not silent', async () => {
  const { a, b, cut } = await pair()
  const end = endAt(a)
  await b.stop()
  expect(await end).toEqual([])
  cut()
})

test.each([
  ['TIMEOUT', true],
  ['STREAM_TRUNCATED', false]
] as const)('a connection that this side cuts with %s: %s', async (code, isSilent) => {
  const { a, b, cut } = await pair()
  const end = endAt(a)
  for (const connection of a.libp2p.getConnections()) connection.abort(new CatalogError(code, 'as a test'))
  expect(await end).toEqual(isSilent ? [`silent ${b.peerId}`] : [])
  cut()
})
