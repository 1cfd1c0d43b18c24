import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Holder, nameKey } from '../../discovery/index.ts'
import { hang, quantile, startNetwork, startNode, type TestNode } from './discovery-nodes.ts'

const NODES = 25
/** Figures go to the console: they are what docs/measurements.md quotes. */
const print = (what: string, figures: Record<string, number | string>): void =>
  console.log(
    what,
    JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value))
  )

async function firstHolder(node: TestNode, key: Uint8Array, except?: string): Promise<Holder | undefined> {
  try {
    for await (const holder of node.discovery.findHolders(key))
      if (holder.peerId.toString() !== except) return holder
  } catch (error) {
    expect(error).toMatchObject({ code: 'NO_PROVIDERS' })
  }
  return undefined
}

async function timed<T>(step: () => Promise<T>): Promise<{ tookMs: number; result: T }> {
  const startMs = performance.now()
  const result = await step()
  return { tookMs: performance.now() - startMs, result }
}

describe(`${NODES} nodes over QUIC`, { timeout: 120_000 }, () => {
  let nodes: TestNode[] = []
  const dead = new Set<TestNode>()
  const alive = (): TestNode[] => nodes.filter(node => !dead.has(node))

  beforeAll(async () => {
    nodes = await startNetwork(NODES)
  }, 180_000)
  afterAll(async () => {
    await Promise.all(nodes.map(node => node.stop()))
  })

  it('finds a name on another node within a second of its publication', async () => {
    const publish: number[] = []
    const find: number[] = []
    for (let i = 0; i < 40; i++) {
      const publisher = nodes[i % 10]!
      const asker = nodes[24 - (i % 7)]!
      const key = nameKey(`fresh-${i}`)
      const announced = await timed(() => publisher.discovery.announce([key], { wait: 3 }))
      expect(announced.result.isComplete).toBe(true)
      const found = await timed(() => firstHolder(asker, key))
      expect(found.result?.peerId.toString()).toBe(publisher.libp2p.peerId.toString())
      publish.push(announced.tookMs)
      find.push(found.tookMs)
    }
    const both = publish.map((ms, i) => ms + find[i]!)
    print('publish to findable, ms', {
      publishP50: quantile(publish, 0.5),
      findP50: quantile(find, 0.5),
      bothP50: quantile(both, 0.5),
      bothP99: quantile(both, 0.99)
    })
    expect(quantile(both, 0.5)).toBeLessThan(1000)
    // The goal is 2 s for the 99th; with 25 nodes in one process a loaded machine is no measure of it.
    expect(quantile(both, 0.9)).toBeLessThan(4000)
  })

  it('says that a key is missing within a second', async () => {
    const took: number[] = []
    for (let i = 0; i < 20; i++) {
      const { tookMs, result } = await timed(() => firstHolder(nodes[i % 20]!, nameKey(`missing-${i}`)))
      expect(result).toBeUndefined()
      took.push(tookMs)
    }
    print('missing key, all alive, ms', { p50: quantile(took, 0.5), max: quantile(took, 1) })
    expect(quantile(took, 0.5)).toBeLessThan(1000)
  })

  it('announces 10,000 keys for little of everybody’s time', async () => {
    const count = 10_000
    const keys = Array.from({ length: count }, (_, i) => nameKey(`many-${i}`))
    // One that has not announced yet, so its lookups are part of the price.
    const publisher = nodes[18]!
    const lookupsBefore = publisher.discovery.stats().lookups
    const cpu = process.cpuUsage()
    const { tookMs, result } = await timed(() => publisher.discovery.announce(keys, { wait: 20 }))
    const { user, system } = process.cpuUsage(cpu)
    const cpuMsPerKey = (user + system) / 1000 / count
    const lookups = publisher.discovery.stats().lookups - lookupsBefore
    print('announce 10,000 keys', { tookMs, cpuMsPerKey, lookups })
    expect(result.isComplete).toBe(true)
    for (let i = 0; i < count; i += 500) expect(await firstHolder(nodes[20]!, keys[i]!)).toBeDefined()
    // One lookup serves many keys: with one for each (about 200 ms of CPU) this would be forty times as much.
    expect(lookups).toBeLessThan(count / 100)
    expect(cpuMsPerKey).toBeLessThan(20)
  })

  it('still answers within a second with a third of the nodes dead', async () => {
    const key = nameKey('before-the-fall')
    await nodes[5]!.discovery.announce([key], { wait: 15 })
    for (const node of nodes.slice(8, 12)) {
      dead.add(node)
      await hang(node)
    }
    for (const node of nodes.slice(12, 16)) {
      dead.add(node)
      await node.stop()
    }
    const missing: number[] = []
    const present: number[] = []
    for (const [i, node] of alive().entries()) {
      const nothing = await timed(() => firstHolder(node, nameKey(`nothing-${i}`)))
      expect(nothing.result).toBeUndefined()
      missing.push(nothing.tookMs)
      const found = await timed(() => firstHolder(node, key))
      expect(found.result).toBeDefined()
      present.push(found.tookMs)
    }
    print('a third dead, ms', {
      missingP50: quantile(missing, 0.5),
      missingMax: quantile(missing, 1),
      foundP50: quantile(present, 0.5),
      foundMax: quantile(present, 1)
    })
    // kad-dht takes 5 to 6 s here; on a loaded machine single searches may take longer than the second they should.
    expect(quantile(missing, 0.5)).toBeLessThan(1000)
    expect(quantile(missing, 1)).toBeLessThan(3000)
    const { tookMs, result } = await timed(() =>
      nodes[1]!.discovery.announce([nameKey('after-the-fall')], { wait: 5 })
    )
    print('announce with a third dead, ms', { tookMs })
    expect(result.isComplete).toBe(true)
  })
})

describe('two nodes', () => {
  it('announce what was published alone as soon as they meet', async () => {
    const a = await startNode()
    const b = await startNode()
    try {
      const announced = a.discovery.announce([nameKey('pair')], { wait: 1 })
      await b.libp2p.dial(a.libp2p.getMultiaddrs())
      const result = await announced
      expect(result.keys[0]!.holders).toEqual([b.libp2p.peerId.toString()])
      expect((await firstHolder(b, nameKey('pair')))?.peerId.toString()).toBe(a.libp2p.peerId.toString())
      expect(await firstHolder(a, nameKey('nothing'))).toBeUndefined()
    } finally {
      await Promise.all([a.stop(), b.stop()])
    }
  })
})
