import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { SLOTS, SWEEP_INTERVAL_MS } from '../../../discovery/announce/schedule.ts'
import { nearest } from '../../../discovery/distance.ts'
import { type AnnounceProgress, type Holder, nameKey } from '../../../discovery/index.ts'
import { kademliaId } from '../../../discovery/keys.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryDatabase } from './memory-database.ts'
import { MemoryNetwork, type MemoryNode } from './memory-network.ts'

const STEP_MS = 20 * MINUTE_MS
const KEY = nameKey('thing')

describe('announcing and finding', () => {
  let clock: FakeClock
  let net: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(() => {
    clock = new FakeClock()
    net = new MemoryNetwork(clock)
    nodes = []
  })
  afterEach(async () => {
    await Promise.all(nodes.map(({ discovery }) => discovery.stop()))
  })

  async function add(
    count: number,
    options: Parameters<MemoryNetwork['node']>[0] = {}
  ): Promise<MemoryNode[]> {
    const fresh: MemoryNode[] = []
    for (let i = 0; i < count; i++) fresh.push(await net.node({ seed: nodes.length + i, ...options }))
    nodes.push(...fresh)
    return fresh
  }

  async function find(node: MemoryNode, key = KEY): Promise<Holder[]> {
    const found: Holder[] = []
    for await (const holder of node.discovery.findHolders(key)) found.push(holder)
    return found
  }

  const during = <T>(promise: Promise<T>, stepMs = 10): Promise<{ tookMs: number; value: T }> =>
    clock.during(promise, stepMs)

  it('returns when so many peers hold a key, with their names, and tells of each', async () => {
    const [publisher] = await add(10)
    net.connectAll(nodes)
    const progress: AnnounceProgress[] = []
    const result = await publisher!.discovery.announce([KEY], {
      wait: 4,
      onProgress: one => progress.push(one)
    })
    expect(result.isComplete).toBe(true)
    expect(result.keys[0]!.holders.length).toBeGreaterThanOrEqual(4)
    expect(progress.map(({ holders }) => holders).slice(0, 4)).toEqual([1, 2, 3, 4])
    await clock.settle()
    for (const node of nodes.slice(1)) {
      const [holder] = await find(node)
      expect(holder).toMatchObject({ source: 'local', ageMs: 0 })
      expect(holder!.peerId.toString()).toBe(publisher!.contact.id)
      expect(holder!.addresses.map(String)).toEqual(publisher!.contact.addresses.map(String))
    }
  })

  it('finds itself without asking anybody', async () => {
    const [alone] = await add(1)
    await alone!.discovery.announce([KEY])
    for await (const holder of alone!.discovery.findHolders(KEY)) {
      expect(holder).toMatchObject({ source: 'local', peerId: alone!.contact.peerId })
      break
    }
  })

  it('keeps what was published alone, over a restart, until a peer comes', async () => {
    const database = new MemoryDatabase()
    const [first] = await add(1, { database, seed: 50 })
    const { value, tookMs } = await during(
      first!.discovery.announce([KEY], { wait: 1, patienceMs: 3000 }),
      500
    )
    expect(value).toMatchObject({ isComplete: false, keys: [{ holders: [] }] })
    expect(tookMs).toBeGreaterThanOrEqual(3000)
    await first!.discovery.stop()
    const [again, other] = [await net.node({ database, seed: 50 }), await net.node({ seed: 51 })]
    nodes = [again, other]
    expect(again.discovery.stats().pendingKeys).toBe(1)
    await clock.advance(DAY_MS / 2, STEP_MS)
    expect(again.discovery.stats().pendingKeys).toBe(1)
    net.connect(again, other)
    await clock.advance(SECOND_MS)
    expect((await find(other))[0]!.source).toBe('local')
  })

  it('waits for peers that come later, and stops waiting on abort', async () => {
    const [publisher, peer] = await add(2)
    const waiting = publisher!.discovery.announce([KEY], { wait: 1 })
    await clock.advance(2 * SECOND_MS)
    net.connect(publisher!, peer!)
    const { value } = await during(waiting)
    expect(value.keys[0]!.holders).toEqual([peer!.contact.id])
    const stop = new AbortController()
    const hopeless = publisher!.discovery.announce([KEY], { wait: 5, signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(hopeless).rejects.toThrow('enough')
  })

  it('gives a key to the next nearest when holders refuse it or fail, and does not ask them again for it', async () => {
    const [publisher] = await add(40)
    net.connectAll(nodes)
    const order = nearest(
      kademliaId(KEY),
      nodes.slice(1).map(({ contact }) => contact),
      40
    )
    const byId = new Map(nodes.map(node => [node.contact.id, node]))
    const bad = order.slice(0, 5).map(({ id }) => byId.get(id)!)
    for (const [i, node] of bad.entries())
      node.end.refusal = new CatalogError(i < 3 ? 'BUSY' : 'PEER_REFUSED', 'no')
    await publisher!.discovery.announce([KEY], { wait: 20 })
    await clock.settle()
    const holding = nodes.filter(
      ({ discovery }) => discovery.stats().claims > 0 && discovery !== publisher!.discovery
    )
    expect(holding.map(({ contact }) => contact.id).sort()).toEqual(
      order
        .slice(5, 25)
        .map(({ id }) => id)
        .sort()
    )
    expect(bad.map(({ end }) => end.provides)).toEqual([1, 1, 1, 1, 1])
    const why = await publisher!.discovery.why(KEY)
    expect(why.announce!.holders).toHaveLength(20)
    expect(why.announce!.refused.toSorted()).toEqual(bad.map(({ contact }) => contact.id).sort())
  })

  it('places 2,000 keys each with its nearest peers, with few lookups', async () => {
    const [publisher] = await add(60)
    net.connectAll(nodes)
    const keys = Array.from({ length: 2000 }, (_, i) => nameKey(`n${i}`))
    await publisher!.discovery.announce(keys, { wait: 20 })
    expect(net.lookups).toBeLessThan(40)
    const others = nodes.slice(1)
    for (const key of keys.slice(0, 100))
      for (const { id } of nearest(
        kademliaId(key),
        others.map(({ contact }) => contact),
        10
      )) {
        const { local } = await nodes.find(({ contact }) => contact.id === id)!.discovery.why(key)
        expect(local.map(({ peer }) => peer)).toEqual([publisher!.contact.id])
      }
  })

  it('finds a key through peers it is not connected to', async () => {
    const [asker, hub] = await add(40)
    net.connectAll(nodes.slice(1))
    net.connect(asker!, hub!)
    await nodes[30]!.discovery.announce([KEY], { wait: 20 })
    const { value } = await during(find(asker!))
    expect(value.map(({ peerId }) => peerId.toString())).toEqual([nodes[30]!.contact.id])
  })

  it('answers within a second that a key is missing, with a third of the nodes silent', async () => {
    await add(30)
    net.connectAll(nodes)
    for (const node of nodes.slice(20)) node.end.state = 'silent'
    const { tookMs } = await during(expect(find(nodes[0]!)).rejects.toMatchObject({ code: 'NO_PROVIDERS' }))
    expect(tookMs).toBeLessThan(1000)
    // Those that were silent are left alone: the next search is quicker.
    const next = await during(
      expect(find(nodes[0]!, nameKey('another'))).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    )
    expect(next.tookMs).toBeLessThan(1000)
  })

  it('remembers for a moment that nobody holds a key, until a peer comes or somebody announces it', async () => {
    const [asker, peer, late] = await add(3)
    net.connect(asker!, peer!)
    await expect(find(asker!)).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    await expect(find(asker!)).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(peer!.end.finds).toBe(1)
    expect((await asker!.discovery.why(KEY)).missingForMs).toBeGreaterThan(0)
    await peer!.discovery.announce([KEY], { wait: 1 })
    expect(await find(asker!)).toHaveLength(1)
    await expect(find(asker!, nameKey('x'))).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    net.connect(asker!, late!)
    expect((await asker!.discovery.why(nameKey('x'))).missingForMs).toBe(0)
    await clock.advance(11 * SECOND_MS)
  })

  it('says NO_PEERS when there is nobody to ask, and does not remember it', async () => {
    const [alone] = await add(1)
    await expect(find(alone!)).rejects.toMatchObject({ code: 'NO_PEERS' })
    expect((await alone!.discovery.why(KEY)).missingForMs).toBe(0)
  })

  it('gives holders that it finds together in the order that it is told', async () => {
    const publishers = await add(6)
    const best = publishers[3]!.contact.id
    const order = (found: readonly string[]): string[] => found.toSorted(id => (id === best ? -1 : 1))
    const [asker] = await add(1, { order })
    net.connectAll(nodes)
    for (const { discovery } of publishers) await discovery.announce([KEY], { wait: 6 })
    await clock.settle()
    const found = (await find(asker!)).map(({ peerId }) => peerId.toString())
    expect(found[0]).toBe(best)
    expect(new Set(found)).toEqual(new Set(publishers.map(({ contact }) => contact.id)))
  })

  it('asks no further peer while the consumer is content, and goes on when it is not', async () => {
    const [first, second] = await add(30)
    net.connectAll(nodes)
    await first!.discovery.announce([KEY], { wait: 20 })
    await second!.discovery.announce([KEY], { wait: 20 })
    await clock.settle()
    const asked = (): number => nodes.reduce((sum, { end }) => sum + end.finds, 0)
    const outside = nodes.find(({ discovery }) => discovery.stats().claims === 0)!
    const search = outside.discovery.findHolders(KEY)[Symbol.asyncIterator]()
    await search.next()
    await clock.settle()
    const before = asked()
    expect(before).toBeLessThanOrEqual(4)
    await clock.advance(5 * SECOND_MS)
    expect(asked()).toBe(before)
    const { value } = await during(search.next())
    expect(value.done).toBe(false)
    await search.return?.()
  })

  it('ends a search on abort with the reason, and gives up nothing else', async () => {
    await add(5)
    net.connectAll(nodes)
    for (const node of nodes.slice(1)) node.end.state = 'silent'
    const stop = new AbortController()
    const search = nodes[0]!.discovery
      .findHolders(KEY, { signal: stop.signal })
      [Symbol.asyncIterator]()
      .next()
    await clock.settle()
    stop.abort(new Error('changed my mind'))
    await expect(search).rejects.toThrow('changed my mind')
  })

  it('drops a provider whose record was not signed by it, and believes the others', async () => {
    const [publisher, asker, liar] = await add(3)
    net.connectAll(nodes)
    await publisher!.discovery.announce([KEY])
    const forged = await publisher!.end.ownRecord()
    forged[forged.length - 1]! ^= 1
    const honest = liar!.end.answers!.find.bind(liar!.end.answers)
    liar!.end.answers!.find = async (...args) => ({
      ...(await honest(...args)),
      providers: [{ peerRecord: forged, ageS: 1 }]
    })
    const found: string[] = []
    try {
      for await (const { peerId } of asker!.discovery.findHolders(nameKey('other')))
        found.push(peerId.toString())
    } catch (error) {
      expect(error).toMatchObject({ code: 'NO_PROVIDERS' })
    }
    expect(found).toEqual([])
  })

  it('refuses claims that somebody makes for another', async () => {
    const [a, b] = await add(2)
    net.connectAll(nodes)
    const request = { peerRecord: await a!.end.ownRecord(), keys: KEY, lifetimeS: 60, traceparent: '' }
    await expect(b!.end.answers!.provide(b!.end.asker, request)).rejects.toMatchObject({
      code: 'PEER_REFUSED'
    })
  })

  it('counts claims to the network of the connection they came over', async () => {
    const [a, b] = await add(2)
    const request = { peerRecord: await a!.end.ownRecord(), keys: KEY, lifetimeS: 60, traceparent: '' }
    const asker = { ...a!.end.asker, remotePeer: a!.contact.peerId }
    const networks = (): string[] => [...b!.database.rows.keys()].filter(row => row.startsWith('64772f'))
    await b!.end.answers!.provide(asker, request)
    expect(networks()).toEqual([])
    await b!.end.answers!.provide({ ...asker, remoteAddr: multiaddr('/ip4/8.8.8.8/udp/1/quic-v1') }, request)
    expect(networks()).toEqual(['64772f04080808'])
  })

  describe('the sweep', () => {
    const keys = Array.from({ length: 200 }, (_, i) => nameKey(`swept-${i}`))
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* keys
    }
    const claims = (node: MemoryNode): number => node.discovery.stats().claims

    it('announces all keys in the course of one interval, spread over it', async () => {
      const [sweeper] = (await add(1, { keySource: source })) as [MemoryNode]
      const [peer] = (await add(1)) as [MemoryNode]
      net.connect(sweeper, peer)
      const counts: number[] = []
      for (let i = 0; i < 11; i++) {
        await clock.advance(SWEEP_INTERVAL_MS / 10, STEP_MS)
        counts.push(claims(peer))
      }
      expect(counts.at(-1)).toBe(keys.length)
      expect(counts[4]).toBeGreaterThan(keys.length * 0.3)
      expect(counts[4]).toBeLessThan(keys.length * 0.7)
      expect(sweeper.discovery.stats().sweep.slotsDone).toBeGreaterThanOrEqual(SLOTS)
      expect(sweeper.discovery.stats().sweep.lateMs).toBe(0)
    })

    it('waits for a peer and catches up when one comes', async () => {
      const [sweeper] = await add(1, { keySource: source })
      await clock.advance(2 * DAY_MS, STEP_MS)
      expect(sweeper!.discovery.stats().sweep.lateMs).toBeGreaterThan(DAY_MS / 2)
      const [peer] = await add(1)
      net.connect(sweeper!, peer!)
      await clock.advance(MINUTE_MS, STEP_MS)
      expect(claims(peer!)).toBe(keys.length)
    })

    it('goes on after a restart with the slots that were not done', async () => {
      const database = new MemoryDatabase()
      const [first] = await add(1, { keySource: source, database, seed: 70 })
      const [peer] = await add(1)
      net.connect(first!, peer!)
      await clock.advance(SWEEP_INTERVAL_MS / 2, STEP_MS)
      const half = claims(peer!)
      const provided = peer!.end.provides
      await first!.discovery.stop()
      await clock.advance(HOUR_MS, STEP_MS)
      const again = await net.node({ keySource: source, database, seed: 70 })
      nodes.push(again)
      net.connect(again, peer!)
      await clock.advance(MINUTE_MS, MINUTE_MS)
      // Only what became due while it was down, not all over again.
      expect(peer!.end.provides - provided).toBeLessThan(10)
      expect(half).toBeLessThan(keys.length)
      await clock.advance(SWEEP_INTERVAL_MS + HOUR_MS, STEP_MS)
      expect(claims(peer!)).toBe(keys.length)
    })

    it('catches up at once after it was down for longer than claims hold', async () => {
      const database = new MemoryDatabase()
      const [first] = await add(1, { keySource: source, database, seed: 71 })
      const [peer] = await add(1)
      net.connect(first!, peer!)
      await clock.advance(SWEEP_INTERVAL_MS + HOUR_MS, STEP_MS)
      await first!.discovery.stop()
      await clock.advance(30 * HOUR_MS, STEP_MS)
      expect(claims(peer!)).toBe(0)
      const again = await net.node({ keySource: source, database, seed: 71 })
      nodes.push(again)
      net.connect(again, peer!)
      await clock.advance(MINUTE_MS, MINUTE_MS)
      expect(claims(peer!)).toBe(keys.length)
    })

    it('loses no key when its only peer refuses for a while', async () => {
      const [sweeper] = await add(1, { keySource: source })
      const [peer] = await add(1)
      peer!.end.refusal = new CatalogError('BUSY', 'full')
      net.connect(sweeper!, peer!)
      await clock.advance(SWEEP_INTERVAL_MS / 2, STEP_MS)
      expect(claims(peer!)).toBe(0)
      peer!.end.refusal = undefined
      await clock.advance(SWEEP_INTERVAL_MS, STEP_MS)
      expect(claims(peer!)).toBe(keys.length)
    })
  })
})
