/** What nodes do together that mirror: copies come, are replaced, handed over and let go of; liars, splits, restarts and blocks. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import type { Demand } from '../../../mirror/index.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { MirrorWorld, POLICY, type WorldNode } from './mirroring-world.ts'

const MINUTE = 60_000
const GIB = 2 ** 30
const NAMES = ['ada', 'ben', 'cai', 'dan', 'eve', 'fox']

let world: MirrorWorld
afterEach(() => world.close())

const release = (name: string, over = {}): ReleaseRecord =>
  createReleaseRecord(small({ name, content: contentOf(name), sizeBytes: 1000, ...over }), keyOf('publisher'))

/** As text: nodes are large. */
const namesOf = (nodes: readonly WorldNode[]): string[] => nodes.map(({ name }) => name)

const others = (node: WorldNode): WorldNode[] => world.nodes.filter(other => other !== node)

/** A world in which the first node published a release and is no member. */
async function published(over: Partial<typeof POLICY> = {}): Promise<ReleaseRecord> {
  world = await MirrorWorld.open(NAMES, over)
  world.nodes[0]!.isMember = false
  const record = release('lib')
  await world.publish(record, world.nodes[0]!)
  await world.pass(10 * 1000)
  return record
}

describe('copies', () => {
  it('come to be with as many members as the target says, and are announced', async () => {
    const record = await published()
    const holders = world.holders(record)
    expect(holders).toHaveLength(POLICY.target)
    for (const holder of holders) expect(holder.announced).toEqual(['lib'])
    await world.pass(5 * MINUTE)
    expect(namesOf(world.holders(record))).toEqual(namesOf(holders))
  })

  it('outlive their publisher', async () => {
    const record = await published()
    await world.nodes[0]!.stop()
    await world.pass(5 * MINUTE)
    expect(world.holders(record)).toHaveLength(POLICY.target)
  })

  it('are replaced after the grace, and not before', async () => {
    const record = await published()
    const [lost, left] = world.holders(record)
    await lost!.stop()
    await world.pass(0.8 * POLICY.grace)
    expect(namesOf(world.holders(record))).toEqual(namesOf([left!]))
    await world.pass(2 * POLICY.grace)
    expect(world.holders(record)).toHaveLength(POLICY.target)
  })

  it('are not replaced for a reboot, and a replacement goes when the lost one is back', async () => {
    const record = await published()
    const holders = world.holders(record)
    await holders[0]!.stop()
    await world.pass(0.5 * POLICY.grace)
    await holders[0]!.start()
    await world.pass(3 * MINUTE)
    expect(namesOf(world.holders(record))).toEqual(namesOf(holders))
    await holders[0]!.stop()
    await world.pass(4 * MINUTE)
    const replaced = world.holders(record)
    expect(replaced).toHaveLength(POLICY.target)
    await holders[0]!.start()
    // A surplus copy goes only for fresh proofs, and after a grace.
    await world.pass(10 * MINUTE)
    expect(namesOf(world.holders(record))).toEqual(namesOf(holders))
  })

  it('are more when a release is wanted, and as many again as before when it no longer is', async () => {
    const record = await published()
    for (const node of world.nodes) node.demand = () => ({ count: 6, askers: 2, lastMs: undefined })
    for (const node of world.nodes) node.parts.releasesChanged()
    await world.pass(2 * MINUTE)
    expect(world.holders(record)).toHaveLength(POLICY.target + 2)
    for (const node of world.nodes) node.demand = () => ({ count: 0, askers: 2, lastMs: undefined })
    for (const node of world.nodes) node.parts.releasesChanged()
    await world.pass(10 * MINUTE)
    expect(world.holders(record)).toHaveLength(POLICY.target)
  })

  it('are not taken of what nobody asked for and nobody follows', async () => {
    world = await MirrorWorld.open(NAMES)
    for (const node of world.nodes) node.demand = () => ({ count: 9, askers: 1, lastMs: undefined })
    const record = release('lib')
    await world.publish(record, world.nodes[0]!)
    await world.pass(2 * MINUTE)
    expect(namesOf(world.holders(record))).toEqual([])
  })
})

describe('a clock that is set', () => {
  it.each([10, -10])('by %i hours neither hurries a repair nor holds it up', async hours => {
    const record = await published()
    const [lost, left] = world.holders(record)
    await lost!.stop()
    world.clock.setBy(hours * 60 * MINUTE)
    await world.pass(0.8 * POLICY.grace)
    expect(namesOf(world.holders(record))).toEqual(namesOf([left!]))
    await world.pass(2 * POLICY.grace)
    expect(world.holders(record)).toHaveLength(POLICY.target)
    const { planned } = left!.parts.service.status()
    expect(Math.abs(Date.parse(planned!.at) - world.clock.now())).toBeLessThan(10 * MINUTE)
  })
})

describe('failures', () => {
  it('are tried again, later and later, until the copy comes', async () => {
    const failing = { times: 0 }
    world = await MirrorWorld.open(NAMES)
    world.nodes[0]!.isMember = false
    for (const node of others(world.nodes[0]!))
      node.fetching = async () => {
        if (failing.times++ < 9) throw new Error('cut off')
      }
    const record = release('lib')
    await world.publish(record, world.nodes[0]!)
    await world.pass(3 * MINUTE)
    // One more takes it, where the first two fail for longer than the grace.
    expect(world.holders(record).length).toBeGreaterThanOrEqual(POLICY.target)
    expect(failing.times).toBeLessThan(20)
  })

  it('of a node that is killed while it fetches are gone on with at its next start', async () => {
    world = await MirrorWorld.open(NAMES)
    world.nodes[0]!.isMember = false
    const hanging = (_: ReleaseRecord, signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      )
    for (const node of others(world.nodes[0]!)) node.fetching = hanging
    const record = release('lib')
    await world.publish(record, world.nodes[0]!)
    await world.pass(10_000)
    const [taker] = world.nodes.filter(({ fetches }) => fetches.length > 0)
    await taker!.stop()
    expect(taker!.copies.of(record.release.content.toString())?.taken).toBeDefined()
    taker!.fetching = undefined
    await taker!.start()
    await world.pass(10_000)
    expect(namesOf(world.holders(record))).toContain(taker!.name)
  })
})

describe('liars', () => {
  it('who claim what they do not have count for nothing', async () => {
    world = await MirrorWorld.open(NAMES)
    world.nodes[0]!.isMember = false
    const record = release('lib')
    const key = record.release.content.toString()
    // They say that they hold it, as they would after a take, and cannot prove it.
    const liars = world.nodes.slice(1, 4)
    for (const liar of liars) {
      liar.contents.add(key)
      liar.isLiar = true
      await liar.copies.take(record, { cause: 'rank', wasHere: false })
    }
    await world.publish(record, world.nodes[0]!)
    await world.pass(10 * MINUTE)
    const honest = world.holders(record).filter(node => !liars.includes(node))
    expect(honest.length).toBeGreaterThanOrEqual(POLICY.min)
  })

  it('who do not answer at all hold nobody up', async () => {
    world = await MirrorWorld.open(NAMES)
    world.nodes[0]!.isMember = false
    for (const mute of world.nodes.slice(1, 3)) mute.isMute = true
    const record = release('lib')
    await world.publish(record, world.nodes[0]!)
    await world.pass(MINUTE)
    expect(world.holders(record).length).toBeGreaterThanOrEqual(POLICY.target)
  })

  it('who are no members are not asked', async () => {
    const record = await published()
    const [holder] = world.holders(record)
    const stranger = others(holder!).find(node => !world.holders(record).includes(node))!
    stranger.isMember = false
    stranger.contents.add(record.release.content.toString())
    await holder!.stop()
    await world.pass(4 * MINUTE)
    expect(world.holders(record).filter(({ isMember }) => isMember)).toHaveLength(POLICY.target)
  })
})

describe('a split network', () => {
  it('moves nothing while it is split', async () => {
    const record = await published()
    const [lost, left] = world.holders(record)
    for (const node of world.nodes) node.isFrozen = true
    await lost!.stop()
    await world.pass(5 * MINUTE)
    expect(namesOf(world.holders(record))).toEqual(namesOf([left!]))
    for (const node of world.nodes) {
      node.isFrozen = false
      node.parts.releasesChanged()
    }
    await world.pass(5 * MINUTE)
    expect(world.holders(record)).toHaveLength(POLICY.target)
  })
})

describe('an operator', () => {
  it('who drains a node hands over what it alone holds, and then it is safe to leave', async () => {
    const record = await published()
    await world.nodes[0]!.stop()
    const [leaving, other] = world.holders(record)
    const { service } = leaving!.parts
    const othersOf = (): number[] => service.status().copies.map(({ holders }) => holders)
    expect(othersOf()).toEqual([1])
    await other!.stop()
    expect(othersOf()).toEqual([0])
    // What was planned before says nothing of what is left.
    expect((await service.drain(false)).draining).toMatchObject({ left: null, isSafeToLeave: false })
    await world.pass(10_000)
    expect(leaving!.offers.length).toBeGreaterThan(0)
    expect(service.status().draining).toMatchObject({ left: 1, isSafeToLeave: false })
    await world.pass(8 * MINUTE)
    expect(leaving!.parts.service.status().draining?.isSafeToLeave).toBe(true)
    expect(leaving!.isMember).toBe(false)
    await leaving!.stop()
    expect(world.holders(record)).toHaveLength(POLICY.target)
  })

  it('who changes his mind has a member again', async () => {
    await published()
    const node = world.nodes[1]!
    await node.parts.service.drain(false)
    await world.pass(10_000)
    await node.parts.service.drain(true)
    expect(node.parts.service.status().draining).toBeNull()
    expect(node.isMember).toBe(true)
  })

  it('who blocks a content has it nowhere here, and another node takes it', async () => {
    const record = await published()
    const [blocking] = world.holders(record)
    blocking!.block(record.release.content)
    await world.pass(5 * MINUTE)
    expect(blocking!.has(record.release.content)).toBe(false)
    expect(world.holders(record)).toHaveLength(POLICY.target)
    expect(namesOf(world.holders(record))).not.toContain(blocking!.name)
  })

  it('who pins a content has it whatever its rank, until he lets go of it', async () => {
    const record = await published()
    const node = world.nodes.find(one => one.isMember && !world.holders(record).includes(one))!
    await node.copies.pin(record)
    node.parts.releasesChanged()
    await world.pass(30_000)
    expect(namesOf(world.holders(record))).toContain(node!.name)
    await world.pass(10 * MINUTE)
    expect(namesOf(world.holders(record))).toContain(node!.name)
    await node.copies.unpin(record)
    node.parts.releasesChanged()
    await world.pass(10 * MINUTE)
    expect(namesOf(world.holders(record))).not.toContain(node!.name)
  })

  it('who runs a plan by hand is told when nothing more comes of it, though something cannot be let go of', async () => {
    await published()
    const [publisher] = world.nodes
    const own = release('own')
    await world.publish(own, publisher!)
    // It is being read, so it is still here.
    publisher!.blocked.add(own.release.content.toString())
    publisher!.rules = {}
    const progress = (): void => undefined
    const running = publisher!.parts.service.run({ signal: AbortSignal.timeout(60_000), progress })
    const ended = running.then(() => true)
    await world.pass(30_000)
    expect(await Promise.race([ended, Promise.resolve(false)])).toBe(true)
    expect((await running).dropped).toBe(0)
  })

  it('whose node stopped in the middle of a copy that nobody wants any more has nothing left of it', async () => {
    const record = await published()
    const node = world.nodes.find(one => one.isMember && !world.holders(record).includes(one))!
    await node.copies.take(record, { cause: 'repair', wasHere: false })
    await node.stop()
    await node.start()
    await world.pass(10_000)
    expect(node.parts.service.status().copies).toEqual([])
  })

  it('who turns mirroring off can take back what was pinned', async () => {
    const record = await published()
    const [node] = world.holders(record)
    await node!.copies.pin(record)
    await node!.stop()
    await node!.start(false)
    const { service } = node!.parts
    expect(service.status().copies).toMatchObject([{ name: 'lib', isPinned: true, state: 'held' }])
    await service.unpin(record.id.toString(), undefined, new AbortController().signal)
    const { copies } = service.status()
    expect(copies.filter(({ isPinned }) => isPinned)).toEqual([])
  })

  it('who turns mirroring off keeps what is here only until the room is needed', async () => {
    const record = await published()
    const [node] = world.holders(record)
    await node!.stop()
    await node!.start(false)
    expect([...node!.copies.taken()]).toEqual([])
    expect(node!.has(record.release.content)).toBe(true)
    expect(() => node!.parts.service.plan()).toThrow(/does not mirror/)
    expect(node!.parts.service.status().isEnabled).toBe(false)
  })

  it('who removes a release that he has pinned keeps nothing of it from a collection', async () => {
    world = await MirrorWorld.open(['ada'])
    const [node] = world.nodes
    const record = release('lib')
    await world.publish(record, node!)
    await node!.copies.pin(record)
    await world.pass(10_000)
    await node!.registry.remove(record.id)
    node!.parts.releasesChanged()
    await world.pass(10_000)
    expect([...node!.copies.all()]).toEqual([])
  })

  it('who turns mirroring off and on again has a node that is not about to leave', async () => {
    world = await MirrorWorld.open(['ada'])
    const [node] = world.nodes
    await node!.parts.service.drain(false)
    for (const isEnabled of [false, true]) {
      await node!.stop()
      await node!.start(isEnabled)
    }
    expect(node!.parts.service.status().draining).toBeNull()
  })
})

describe('limits', () => {
  it('of the quota are kept, and of an owner', async () => {
    world = await MirrorWorld.open(NAMES, { quota: 20_000, target: 3, min: 3 })
    const records = Array.from({ length: 8 }, (_, at) => release(`lib-${at}`))
    for (const record of records) await world.publish(record, world.nodes[0]!)
    await world.pass(3 * MINUTE)
    // An owner has a tenth.
    for (const node of others(world.nodes[0]!))
      expect(records.filter(record => world.holders(record).includes(node)).length).toBeLessThanOrEqual(2)
    expect(world.nodes[1]!.parts.service.plan().heldBack.map(({ because }) => because)).toContain('owner')
  })
})

describe('an offer', () => {
  const { signal } = new AbortController()
  const isOffered = (record: ReleaseRecord): Promise<boolean> =>
    world.nodes[1]!.isOffered(world.nodes[2]!, record, signal)
  const isKept = ({ id }: ReleaseRecord): boolean => world.nodes[1]!.registry.get(id) !== undefined
  const demandIs = (demand: Demand): void => {
    world.nodes[1]!.demand = () => demand
  }

  beforeEach(async () => {
    world = await MirrorWorld.open(NAMES)
    await world.pass(10_000)
  })

  it('leaves nothing here when it is refused', async () => {
    demandIs({ count: 9, askers: 1, lastMs: undefined })
    expect(await isOffered(release('junk'))).toBe(false)
    expect(isKept(release('junk'))).toBe(false)
    demandIs({ count: 9, askers: 2, lastMs: undefined })
    expect(await isOffered(release('good'))).toBe(true)
    expect(isKept(release('good'))).toBe(true)
  })

  it('is refused where there is no room for it', async () => {
    const large = (name: string): ReleaseRecord => release(name, { sizeBytes: Math.floor(0.6 * GIB) })
    expect(await isOffered(large('one'))).toBe(true)
    expect(await isOffered(large('two'))).toBe(false)
    expect(isKept(large('two'))).toBe(false)
  })

  it('of what is known here adds no other name of it', async () => {
    const { content } = release('lib').release
    const renamed = (name: string): ReleaseRecord =>
      createReleaseRecord(small({ name, content }), keyOf('mallory'))
    expect(await isOffered(release('lib'))).toBe(true)
    expect(await isOffered(renamed('other'))).toBe(true)
    expect(isKept(renamed('other'))).toBe(false)
  })
})
