import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { pull } from '../../protocols/quic/index.ts'
import { startChild } from './transport/children.ts'
import { quicNode, sendBytes } from './transport/node.ts'

const MB = 1_000_000
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function node(...args: Parameters<typeof quicNode>): Promise<Libp2p> {
  const libp2p = await quicNode(...args)
  cleanups.push(() => libp2p.stop())
  return libp2p
}

test('a slow reader of 1 GB keeps both sides below 150 MB', { timeout: 90_000 }, async () => {
  const totalBytes = 1000 * MB
  const sender = await startChild<string>('sender', [String(totalBytes)])
  cleanups.push(() => sender.child.kill())
  const args = [sender.first, '4000']
  const reader = await startChild<{ slowBytes: number; maxRssBytes: number }>('slow-reader', args)
  cleanups.push(() => reader.child.kill())
  const ended = once(reader.child, 'message')
  sender.child.send('report')
  const [senderRssBytes] = await once(sender.child, 'message')
  expect(reader.first.slowBytes).toBeLessThan(100 * MB)
  expect(reader.first.maxRssBytes).toBeLessThan(150 * MB)
  expect(senderRssBytes).toBeLessThan(150 * MB)
  expect(await ended).toMatchObject([{ readBytes: totalBytes }, undefined])
})

describe('handshakes', () => {
  const STUCK = 20

  /** A UDP address that passes on one datagram of each dialler, and no answer: handshakes through it never end. */
  async function blackHole(port: number): Promise<{ port: number; passed: () => number }> {
    const sockets = new Map<number, Socket>()
    const front = createSocket('udp4').bind(0, '127.0.0.1')
    await once(front, 'listening')
    front.on('message', (message, from) => {
      if (sockets.has(from.port)) return
      const back = createSocket('udp4')
      sockets.set(from.port, back)
      back.send(message, port, '127.0.0.1')
    })
    cleanups.push(() => {
      for (const socket of [front, ...sockets.values()]) socket.close()
    })
    return { port: front.address().port, passed: () => sockets.size }
  }

  test(`${STUCK} that are stuck do not delay others`, async () => {
    const server = await node({ listen: true })
    const address = server.getMultiaddrs()[0]?.toString() ?? ''
    const timeDial = async (): Promise<number> => {
      const client = await node()
      const startMs = performance.now()
      await client.dial(multiaddr(address))
      return performance.now() - startMs
    }
    const before = [await timeDial(), await timeDial(), await timeDial()]
    const hole = await blackHole(Number(/udp\/(\d+)/.exec(address)?.[1]))
    const through = multiaddr(address.replace(/udp\/\d+/, `udp/${hole.port}`))
    const controller = new AbortController()
    const stuck = await Promise.all(Array.from({ length: STUCK }, () => node()))
    const dials = stuck.map(client =>
      client.dial(through, { signal: controller.signal }).catch(() => 'stuck')
    )
    await expect.poll(hole.passed).toBe(STUCK)
    const after = [await timeDial(), await timeDial(), await timeDial()]
    controller.abort()
    expect(await Promise.all(dials)).toEqual(Array(STUCK).fill('stuck'))
    // The delay itself, beyond what the machine's load makes of a handshake.
    expect(Math.min(...after)).toBeLessThan(Math.max(...before) + 100)
  })
})

describe('what is no end of stream', () => {
  const TOTAL = 50 * MB

  async function received(stream: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0
    for await (const part of stream) bytes += part.byteLength
    return bytes
  }

  test.each([
    ['a reset', 'reset'],
    ['the abort of the connection', 'abort connection'],
    ['a remote that stops', 'stop']
  ])('%s', async (_name, request) => {
    const server = await startChild<string>('soak-server', [String(TOTAL), '2000'])
    cleanups.push(() => server.child.kill())
    const client = await node({ maxIdleTimeoutMs: 2000 })
    const stream = await client.dialProtocol(multiaddr(server.first), '/soak/1')
    stream.send(Buffer.from(request))
    await expect(received(pull(stream))).rejects.toThrow()
  })

  test('a process killed while it sends', async () => {
    const server = await startChild<string>('soak-server', [String(TOTAL * 100), '2000'])
    cleanups.push(() => server.child.kill())
    const client = await node({ maxIdleTimeoutMs: 2000 })
    const stream = await client.dialProtocol(multiaddr(server.first), '/soak/1')
    stream.send(Buffer.from('complete'))
    const reading = pull(stream)
    await reading.next()
    server.child.kill('SIGKILL')
    await expect(received(reading)).rejects.toHaveProperty('name', 'ConnectionClosedError')
  })

  test('a paused reader is told of a lost connection without reading on', async () => {
    const server = await startChild<string>('soak-server', [String(TOTAL), '2000'])
    const client = await node({ maxIdleTimeoutMs: 2000 })
    const stream = await client.dialProtocol(multiaddr(server.first), '/soak/1')
    stream.pause()
    const closed = once(stream, 'close')
    server.child.kill('SIGKILL')
    const [event] = await closed
    expect(event.error.name).toBe('ConnectionClosedError')
  })
})

test('a sender waits while its reader is paused, and a resumed reader gets every byte', async () => {
  const [server, client] = await Promise.all([node({ listen: true }), node()])
  let sentBytes = 0
  await server.handle('/bulk/1', async stream => {
    await sendBytes(stream, 100 * MB, sent => {
      sentBytes = sent
    })
    await stream.close()
  })
  const stream = await client.dialProtocol(server.getMultiaddrs(), '/bulk/1')
  stream.pause()
  // The window of 10 MB and the buffers on both sides fill, then nothing moves.
  let seen = -1
  await expect
    .poll(
      () => {
        const isSame = sentBytes === seen && sentBytes > 0
        seen = sentBytes
        return isSame
      },
      { interval: 300, timeout: 10_000 }
    )
    .toBe(true)
  expect(sentBytes).toBeLessThan(20 * MB)
  stream.resume()
  let bytes = 0
  for await (const part of pull(stream)) bytes += part.byteLength
  expect(bytes).toBe(100 * MB)
})

test('500 rounds of connect, transfer and breakage leave nothing behind', { timeout: 300_000 }, async () => {
  const rounds = 500
  const soak = await startChild<{
    outcomes: Record<string, number>
    failures: string[]
    rssBytes: number[]
    connections: number
  }>('soak', [String(rounds)])
  const { outcomes, failures, rssBytes, connections } = soak.first
  expect(failures).toEqual([])
  expect(connections).toBe(0)
  expect(Object.keys(outcomes).filter(outcome => /hung|TRUNCATED/.test(outcome))).toEqual([])
  expect(Object.values(outcomes).reduce((a, b) => a + b)).toBe(rounds)
  const [early = 0, late = 0] = rssBytes
  expect(late - early).toBeLessThan(40 * MB)
})
