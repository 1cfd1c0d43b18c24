import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../node/host/index.ts'
import { createNetwork } from '../../../node/network.ts'
import { contentProtocol } from '../../../protocols/index.ts'
import { addressOf, cleanUpAfterEachTest, newKey, startHost, tempFolder } from './hosts.ts'
import { LOOPBACK, LOOPBACK_OPTIONS } from './options.ts'

cleanUpAfterEachTest()

describe('starting and stopping', () => {
  test('20 times on one peer store, without an unhandled rejection', async () => {
    const peersFolder = await tempFolder()
    const { privateKey, peerId } = await newKey()
    for (let round = 0; round < 20; round++) {
      const host = await startHost({ dht: round % 2 === 0 }, { peersFolder, privateKey })
      expect(host.peerId).toBe(peerId)
      expect(addressOf(host)).toMatch(new RegExp(`^/ip4/127.0.0.1/udp/\\d+/quic-v1/p2p/${peerId}$`))
      await Promise.all([host.stop(), host.stop()])
    }
  })

  test('leaves nothing behind that keeps a process alive', async () => {
    const child = fork(new URL('./start-stop.child.ts', import.meta.url), { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('takes the seed of its key', async () => {
    const { privateKey, peerId } = await newKey()
    const host = await startHost({}, { privateKey: privateKey.raw.subarray(0, 32) })
    expect(host.peerId).toBe(peerId)
  })

  test('a taken port is LISTEN_FAILED and names the address; the peer store is free again', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const address = `/ip4/127.0.0.1/udp/${socket.address().port}/quic-v1`
    const peersFolder = await tempFolder()
    await expect(startHost({ listen: [LOOPBACK, address] }, { peersFolder })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(/^could not listen on [^ ]+: Address already in use \(os error \d+\)$/),
      hint: expect.stringContaining('free the port'),
      details: { addresses: [address] }
    })
    socket.close()
    await startHost({ listen: [address] }, { peersFolder })
  })

  test('a strange address is LISTEN_FAILED in one line, with what to do', async () => {
    const address = '/ip4/203.0.113.9/udp/4999/quic-v1'
    await expect(startHost({ listen: [address] })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(/^could not listen on [^ ]+: [^:\n]+ \(os error \d+\)$/),
      hint: expect.stringContaining('no address of this machine')
    })
  })

  test.each(['/p2p/foo', '/ip4/127.0.0.1/udp/1/quic-v1/p2p/foo', 'foo'])(
    'what is no address of a peer is PEER_ADDRESS_INVALID: %s',
    async address => {
      const host = await startHost()
      await expect(host.connect(address)).rejects.toMatchObject({ code: 'PEER_ADDRESS_INVALID', exitCode: 2 })
    }
  )

  test('a peer store in use is DISK_IO', async () => {
    const peersFolder = await tempFolder()
    await startHost({}, { peersFolder })
    await expect(startHost({}, { peersFolder })).rejects.toMatchObject({ code: 'DISK_IO' })
  })

  test('listens on IPv6', async () => {
    const host = await startHost({ listen: ['/ip6/::1/udp/0/quic-v1'] })
    const other = await startHost()
    expect((await other.connect(addressOf(host))).addresses[0]).toContain('/ip6/::1/')
  })

  test('says goodbye while connections are open, and waits for it only so long', async () => {
    const [a, b] = await Promise.all([startHost(), startHost()])
    await a.connect(addressOf(b))
    const open: number[] = []
    a.onGoodbye(async () => {
      open.push(a.peers().length)
    })
    a.onGoodbye(() => new Promise(() => {}))
    a.onGoodbye(() => Promise.reject(new Error('no words')))
    const removed = a.onGoodbye(async () => {
      open.push(99)
    })
    removed()
    const gone = once(b.events, 'disconnected')
    await a.stop()
    expect(open).toEqual([1])
    expect(await gone).toEqual([a.peerId])
  })
})

describe('connecting', () => {
  test('tells both sides, with direction and round-trip time', async () => {
    const [a, b] = await Promise.all([startHost(), startHost({ listen: [] })])
    const seen = once(a.events, 'connected')
    const peer = await b.connect(addressOf(a))
    expect(peer).toMatchObject({ peerId: a.peerId, addresses: [addressOf(a)], direction: 'outbound' })
    expect(peer.rttMs).toBeTypeOf('number')
    expect((await seen)[0]).toMatchObject({ peerId: b.peerId, direction: 'inbound' })
    expect(b.peers()).toHaveLength(1)
    await b.disconnect(a.peerId)
    await expect.poll(() => a.peers()).toEqual([])
    await expect(b.disconnect(a.peerId)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('catalog peers list')
    })
  })

  test('nobody there is DIAL_FAILED with the addresses tried', async () => {
    const host = await startHost({ addressDialTimeoutMs: 200 })
    const { peerId } = await newKey()
    const address = `/ip4/127.0.0.1/udp/9/quic-v1/p2p/${peerId}`
    await expect(host.connect(address)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
      details: { tried: [address] }
    })
  })

  test('another peer at the address is DIAL_FAILED', async () => {
    const [a, b] = await Promise.all([startHost(), startHost()])
    const { peerId } = await newKey()
    const wrong = addressOf(a).replace(a.peerId, peerId)
    await expect(b.connect(wrong)).rejects.toMatchObject({ code: 'DIAL_FAILED' })
    await expect.poll(() => a.peers()).toEqual([])
  })

  test.each([
    'not an address',
    '/ip4/1.2.3',
    '',
    '/ip4/1.2.3.4/tcp/4747/ws',
    '/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit'
  ])('%j is PEER_ADDRESS_INVALID', async address => {
    const host = await startHost()
    await expect(host.connect(address)).rejects.toMatchObject({ code: 'PEER_ADDRESS_INVALID' })
  })

  test('meets who calls and who identifies itself, not who takes a call and refuses it', async () => {
    const [caller, called] = await Promise.all([startHost(), startHost()])
    const met: Record<'caller' | 'called', string[]> = { caller: [], called: [] }
    caller.events.on('met', peerId => met.caller.push(peerId))
    called.events.on('met', peerId => met.called.push(peerId))
    await caller.connect(addressOf(called))
    await expect.poll(() => met).toEqual({ caller: [called.peerId], called: [caller.peerId] })
    await caller.disconnect(called.peerId)
    called.leave()
    await expect(caller.connect(addressOf(called))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
    expect(met.caller).toEqual([called.peerId])
  })

  test('who was started again while the old connection looks open is told of as one that came, once', async () => {
    const { privateKey, peerId } = await newKey()
    const [a, before] = await Promise.all([startHost(), startHost({}, { privateKey })])
    const came: string[] = []
    createNetwork({ host: a } as never).onConnected(peer => came.push(peer))
    let peers = 0
    a.events.on('connected', () => peers++)
    await before.connect(addressOf(a))
    // As of a process that is gone: it answers nothing over a connection that is open.
    const { protocol } = before.libp2p.services.ping as unknown as { protocol: string }
    await before.libp2p.unhandle(protocol)
    const again = await startHost({}, { privateKey })
    await again.connect(addressOf(a))
    await expect.poll(() => came, { timeout: 5000 }).toEqual([peerId, peerId])
    expect([peers, a.peers()[0]!.addresses.length]).toEqual([1, 1])
  })

  test('itself is PEER_ADDRESS_INVALID', async () => {
    const host = await startHost()
    await expect(host.connect(addressOf(host))).rejects.toMatchObject({ code: 'PEER_ADDRESS_INVALID' })
  })

  test('a cancelled dial is ABORTED', async () => {
    const host = await startHost()
    const { peerId } = await newKey()
    const controller = new AbortController()
    const dial = host.connect(`/ip4/127.0.0.1/udp/9/quic-v1/p2p/${peerId}`, controller.signal)
    controller.abort()
    await expect(dial).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('a peer of another network is PEER_REFUSED and not kept', async () => {
    const [a, b] = await Promise.all([startHost({ networkId: 'one' }), startHost({ networkId: 'two' })])
    // Whichever side identifies the other first closes: this one knows why, or sees only that it was closed.
    await expect(b.connect(addressOf(a))).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      message: expect.stringMatching(/another network|closed (the connection|it) at once/)
    })
    expect(b.peers()).toEqual([])
  })
})

test('who answers at an address instead of the peer that is meant is said', async () => {
  const [a, b] = await Promise.all([startHost(), startHost()])
  const { peerId } = await newKey()
  const at = (host: Host): string => addressOf(host).replace(host.peerId, peerId)
  await expect(a.connect(at(b))).rejects.toMatchObject({
    code: 'DIAL_FAILED',
    message: `could not reach ${at(b)}: it is ${b.peerId} that answers there`
  })
  const itself = 'it is this node itself that answers there'
  for (const address of [at(a), addressOf(a).replace(/\/p2p\/.*$/, '')])
    await expect(a.connect(address)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
      message: `could not reach ${address}: ${itself}`
    })
})

describe('who may connect', () => {
  test('a denied peer is refused after TLS and told PEER_REFUSED', async () => {
    const { privateKey, peerId } = await newKey()
    const metrics = new Registry()
    const [a, b] = await Promise.all([
      startHost({ deny: [peerId] }, { metrics }),
      startHost({}, { privateKey })
    ])
    await expect(b.connect(addressOf(a))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
    expect(a.peers()).toEqual([])
    expect(await metrics.metrics()).toContain('catalog_host_refused_connections_total{reason="denied"} 1')
    await expect(a.connect(addressOf(b))).rejects.toMatchObject({
      code: 'DIAL_FAILED',
      message: expect.stringContaining('own rules')
    })
  })

  test('with an allow list only its peers get in', async () => {
    const { privateKey, peerId } = await newKey()
    const a = await startHost({ allow: [peerId] })
    const [friend, stranger] = await Promise.all([startHost({}, { privateKey }), startHost()])
    await friend.connect(addressOf(a))
    await expect(stranger.connect(addressOf(a))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
  })

  test('the last slots are kept for bootstrap peers', async () => {
    const { privateKey } = await newKey()
    const reserved = await startHost({}, { privateKey })
    const bootstrap = [addressOf(reserved)]
    await reserved.stop()
    const a = await startHost({ maxConnections: 2, reservedSlots: 1, bootstrap })
    const [first, second, again] = await Promise.all([
      startHost(),
      startHost(),
      startHost({}, { privateKey })
    ])
    await first.connect(addressOf(a))
    await expect(second.connect(addressOf(a))).rejects.toMatchObject({ code: 'PEER_REFUSED' })
    await again.connect(addressOf(a))
    expect(a.peers()).toHaveLength(2)
  })

  test('with privateAddresses never, found local addresses are not dialled, and none are announced', async () => {
    const [a, b] = await Promise.all([startHost({ privateAddresses: 'never' }), startHost()])
    expect(a.addresses()).toEqual([])
    await a.libp2p.peerStore.merge(b.libp2p.peerId, { multiaddrs: b.libp2p.getMultiaddrs() })
    await expect(a.libp2p.dial(b.libp2p.peerId)).rejects.toThrow()
    expect((await a.connect(addressOf(b))).peerId).toBe(b.peerId)
  })
})

describe('peers that are kept', () => {
  test('a bootstrap peer is dialled, and dialled again when it comes back', async () => {
    const { privateKey } = await newKey()
    const seed = await startHost({}, { privateKey })
    const address = addressOf(seed)
    const listen = [address.replace(/\/p2p\/.*/, '')]
    const node = await startHost({ listen: [], bootstrap: [address], addressDialTimeoutMs: 300 })
    await expect.poll(() => node.peers().map(({ peerId }) => peerId)).toEqual([seed.peerId])
    const unreachable = once(node.events, 'unreachable')
    await seed.stop()
    const [where, failures] = await unreachable
    expect([where, failures]).toEqual([address, 1])
    const again = await startHost({ listen }, { privateKey })
    await expect
      .poll(() => node.peers().map(({ peerId }) => peerId), { timeout: 10_000 })
      .toEqual([again.peerId])
    // It is tagged once it has identified itself.
    await expect
      .poll(async () => [...(await node.libp2p.peerStore.get(again.libp2p.peerId)).tags.keys()])
      .toContain('keep-alive-catalog')
  })

  test('have been tried when one is reached, or when each has failed', async () => {
    const [seed, gone] = await Promise.all([startHost(), startHost()])
    const missing = addressOf(gone)
    await gone.stop()
    const node = await startHost({ listen: [], bootstrap: [missing, addressOf(seed)] })
    await node.tried()
    expect(node.peers().map(({ peerId }) => peerId)).toEqual([seed.peerId])
    const alone = await startHost({ listen: [], bootstrap: [missing], addressDialTimeoutMs: 300 })
    const unreachable = once(alone.events, 'unreachable')
    await alone.tried()
    await unreachable
    await (await startHost()).tried()
  })

  test('the tag comes back after libp2p has dropped it, and goes with a disconnect', async () => {
    const [seed, node] = await Promise.all([startHost(), startHost({ listen: [] })])
    const tags = async () => [...(await node.libp2p.peerStore.get(seed.libp2p.peerId)).tags.keys()]
    node.keep(addressOf(seed))
    await expect.poll(tags).toContain('keep-alive-catalog')
    await node.libp2p.peerStore.merge(seed.libp2p.peerId, { tags: { 'keep-alive-catalog': undefined } })
    node.libp2p.dispatchEvent(new CustomEvent('peer:reconnect-failure', { detail: seed.libp2p.peerId }))
    await expect.poll(tags).toContain('keep-alive-catalog')
    await node.disconnect(seed.peerId)
    await expect.poll(tags).not.toContain('keep-alive-catalog')
  })

  test('a tag of an earlier run is forgotten', async () => {
    const peersFolder = await tempFolder()
    const seed = await startHost()
    const first = await startHost({ bootstrap: [addressOf(seed)] }, { peersFolder })
    await expect.poll(() => first.peers()).toHaveLength(1)
    await first.stop()
    const second = await startHost({}, { peersFolder })
    expect((await second.libp2p.peerStore.get(seed.libp2p.peerId)).tags.has('keep-alive-catalog')).toBe(false)
  })
})

test('a DHT of two finds a third, and refuses to store for strangers', async () => {
  const seed = await startHost({ dht: true })
  const [a, b] = await Promise.all([
    startHost({ dht: true, bootstrap: [addressOf(seed)] }),
    startHost({ dht: true, bootstrap: [addressOf(seed)] })
  ])
  await expect.poll(() => seed.peers().length, { timeout: 10_000 }).toBe(2)
  const found = await a.libp2p.peerRouting.findPeer(b.libp2p.peerId)
  expect(found.id.equals(b.libp2p.peerId)).toBe(true)
  const { dht } = seed.libp2p.services as unknown as { dht: { rpc: { handlers: object } } }
  expect(Object.keys(dht.rpc.handlers)).toEqual(['GET_VALUE', 'FIND_NODE', 'GET_PROVIDERS', 'PING'])
})

test('only a stream that every node speaks begins before the remote has agreed to its protocol', async () => {
  const [a, b] = await Promise.all([startHost(), startHost()])
  await b.connect(addressOf(a))
  const connection = b.libp2p.getConnections()[0]!
  await expect(connection.newStream('/nobody/1')).rejects.toMatchObject({ name: 'UnsupportedProtocolError' })
  // Nobody handles this one here either, which shows only when the remote's answer comes.
  const stream = await connection.newStream(contentProtocol('main'))
  await expect.poll(() => stream.status).toBe('aborted')
})

test('unread streams beyond the memory limit cost their connection', async () => {
  const quic = { maxStreamDataBytes: 1_000_000, maxConnectionDataBytes: 2_000_000 }
  const limited = { quic: { ...LOOPBACK_OPTIONS.quic, ...quic }, networkMemoryBytes: 1_500_000 }
  const [a, greedy, modest] = await Promise.all([startHost(limited), startHost(), startHost()])
  await a.libp2p.handle('/unread/1', stream => stream.pause())
  const open = async (host: typeof greedy, streams: number): Promise<void> => {
    await host.connect(addressOf(a))
    const connection = host.libp2p.getConnections()[0]!
    for (let i = 0; i < streams; i++) (await connection.newStream('/unread/1')).send(new Uint8Array(1000))
  }
  const evicted = once(a.events, 'evicted')
  await Promise.all([open(greedy, 2), open(modest, 1)])
  expect(await evicted).toEqual([greedy.peerId, 2_000_000])
  await expect.poll(() => a.peers().map(({ peerId }) => peerId)).toEqual([modest.peerId])
})
