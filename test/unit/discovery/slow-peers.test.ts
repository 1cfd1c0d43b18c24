/** Announcing to peers that take their time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { nearest } from '../../../discovery/distance.ts'
import { type AnnounceProgress, nameKey } from '../../../discovery/index.ts'
import { kademliaId } from '../../../discovery/keys.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryNetwork, type MemoryNode } from './memory-network.ts'

const KEY = nameKey('thing')

describe('an announcement', () => {
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

  async function start(count: number): Promise<MemoryNode[]> {
    for (let seed = 0; seed < count; seed++) nodes.push(await net.node({ seed }))
    return nodes
  }

  it.each([[6], [14]])('waits for a peer that answers after %d s', async slowS => {
    const [publisher, slow] = (await start(2)) as [MemoryNode, MemoryNode]
    slow.end.slowMs = slowS * SECOND_MS
    net.connect(publisher, slow)
    const progress: AnnounceProgress[] = []
    const onProgress = (one: AnnounceProgress): number => progress.push(one)
    const { value, tookMs } = await clock.during(publisher.discovery.announce([KEY], { wait: 1, onProgress }))
    expect(value).toMatchObject({ isComplete: true, keys: [{ holders: [slow.contact.id] }] })
    expect(tookMs / SECOND_MS).toBeCloseTo(slowS, 0)
    expect(progress.map(({ holders }) => holders)).toEqual([0, 1])
    expect(slow.end.provides).toBe(1)
  })

  it('gives up a peer that answers too late, after as long as was said', async () => {
    const [publisher, slow] = (await start(2)) as [MemoryNode, MemoryNode]
    slow.end.slowMs = MINUTE_MS
    net.connect(publisher, slow)
    const announcing = publisher.discovery.announce([KEY], { wait: 1 })
    const { value, tookMs } = await clock.during(announcing)
    expect(value).toMatchObject({ isComplete: false, keys: [{ holders: [] }] })
    expect(tookMs / SECOND_MS).toBeCloseTo(15, 0)
  })

  it('gives the keys of a late peer to the next nearest at once, and takes its answer all the same', async () => {
    const [publisher] = await start(40)
    net.connectAll(nodes)
    const others = nodes.slice(1).map(({ contact }) => contact)
    const order = nearest(kademliaId(KEY), others, 40)
    const late = nodes.find(({ contact }) => contact.id === order[0]!.id)!
    late.end.slowMs = 8 * SECOND_MS
    const announcing = publisher!.discovery.announce([KEY], { wait: 20 })
    const { value, tookMs } = await clock.during(announcing)
    expect(tookMs).toBeLessThan(6 * SECOND_MS)
    expect(value.keys[0]!.holders).not.toContain(late.contact.id)
    await clock.advance(8 * SECOND_MS)
    expect(late.discovery.stats().claims).toBe(1)
  })
})
