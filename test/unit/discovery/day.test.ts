import { afterEach, describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { type Holder, nameKey } from '../../../discovery/index.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryNetwork, type MemoryNode } from './memory-network.ts'

const NAMES = Array.from({ length: 12 }, (_, i) => nameKey(`package-${i}`))

/** A day in steps of half an hour: the clean-up, which is due every few seconds, is then done once a step. */
const STEP_MS = 30 * MINUTE_MS

async function* keys(): AsyncGenerator<Uint8Array> {
  yield* NAMES
}

async function holders(node: MemoryNode, key: Uint8Array): Promise<Holder[]> {
  const found: Holder[] = []
  try {
    for await (const holder of node.discovery.findHolders(key)) found.push(holder)
  } catch (error) {
    expect(error).toMatchObject({ code: 'NO_PROVIDERS' })
  }
  return found
}

const ids = (found: Holder[]): string[] => found.map(({ peerId }) => peerId.toString()).sort()

describe('a day in the life of a name', () => {
  const clock = new FakeClock()
  let nodes: MemoryNode[] = []
  afterEach(async () => {
    await Promise.all(nodes.map(({ discovery }) => discovery.stop()))
  })

  async function network(): Promise<{ lasting: MemoryNode; vanishing: MemoryNode; asker: MemoryNode }> {
    const net = new MemoryNetwork(clock)
    nodes = []
    for (let i = 0; i < 25; i++)
      nodes.push(await net.node(i < 2 ? { seed: i, keySource: keys } : { seed: i }))
    net.connectAll(nodes)
    const [lasting, vanishing] = nodes as [MemoryNode, MemoryNode]
    await lasting.discovery.announce(NAMES, { wait: 3 })
    await vanishing.discovery.announce(NAMES, { wait: 3 })
    return { lasting, vanishing, asker: nodes[20]! }
  }

  it('is found after 7 and 23 hours with one of its providers gone, and after days while the other renews it', async () => {
    const { lasting, vanishing, asker } = await network()
    expect(ids(await holders(asker, NAMES[0]!))).toEqual([lasting.contact.id, vanishing.contact.id].sort())
    vanishing.end.leave()
    await vanishing.discovery.stop()
    for (const hours of [7, 23, 27, 49, 75]) {
      await clock.advance(hours * HOUR_MS - elapsed(hours), STEP_MS)
      for (const name of NAMES) {
        const found = ids(await holders(asker, name))
        expect(found, `${hours} h`).toContain(lasting.contact.id)
        // The one that vanished is told until its claims lapse, and never after.
        expect(found.includes(vanishing.contact.id), `${hours} h`).toBe(hours < 25)
      }
    }
    // The clean-up has removed what the vanished one claimed.
    expect(asker.discovery.stats().providers).toBe(1)
  })

  it('is lost when nobody renews it', async () => {
    const { lasting, vanishing, asker } = await network()
    for (const node of [lasting, vanishing]) await node.discovery.stop()
    await clock.advance(23 * HOUR_MS, STEP_MS)
    expect(await holders(asker, NAMES[0]!)).toHaveLength(2)
    await clock.advance(3 * HOUR_MS, STEP_MS)
    expect(await holders(asker, NAMES[0]!)).toEqual([])
  })
})

/** Hours that the checks before this one took. */
function elapsed(hours: number): number {
  const all = [0, 7, 23, 27, 49, 75]
  return all[all.indexOf(hours) - 1]! * HOUR_MS
}
