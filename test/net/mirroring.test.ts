/**
 * Twelve daemons in three regions that mirror for each other, over links as long as those between continents: what holds in the simulator holds here,
 * by the same rules, when nodes are killed, links are slow, a quota is full and a region is cut off.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MirrorCopyShape, MirrorStatus } from '../../node/index.ts'
import { type RegionHost, Regions } from '../../testnet/drivers/netns/regions.ts'
import { placementFault, takeFault, whyNoLink } from '../../testnet/index.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { missing } from './missing.ts'

const LISTEN = '/ip4/0.0.0.0/udp/4747/quic-v1'
const PLAN = {
  regions: {
    eu: ['eu1', 'eu2', 'eu3', 'eu4'],
    us: ['us1', 'us2', 'us3', 'us4'],
    ap: ['ap1', 'ap2', 'ap3', 'ap4']
  },
  delaysMs: { 'eu us': 40, 'eu ap': 90, 'us ap': 70 }
}
/** Whatever is lost is made up for. */
const POLICY = { min: 3, max: 4 }
const TARGET = 3
const GRACE_MS = 5000
/** Its quota has room for one release of the owner, which gets a tenth of it. */
const SMALL = 'us4'
const SMALL_QUOTA_BYTES = 1_000_000
const RELEASE_BYTES = 64 * 1024
/** Twice what is promised, on a machine that may do other things. */
const NOTICE_MS = 30_000
/** Until all are connected with all. */
const MESH_MS = 60_000
/** A kill is noticed after 17 s at the latest; then the grace of the last rank, and a busy machine. */
const REPAIR_MS = 80_000

const none = missing ?? whyNoLink()

let regions: Regions
let net: TestNet
const daemons = new Map<string, TestDaemon>()
const published: string[] = []

const daemon = (name: string): TestDaemon => daemons.get(name)!
const alive = (): RegionHost[] => regions.hosts.filter(({ name }) => daemons.has(name))

async function startAll(): Promise<void> {
  let seed: { peerId: string; address: string } | undefined
  for (const host of regions.hosts) {
    const started = await net.start(host.name, { netns: host.namespace, set: settingsOf(host, seed) })
    daemons.set(host.name, started)
    const address = started.addresses.find(text => text.startsWith(`/ip4/${host.address}/`))!
    seed ??= { peerId: started.peerId, address }
  }
}

const settingsOf = (
  { name, region }: RegionHost,
  seed: { peerId: string; address: string } | undefined
): Record<string, string> => ({
  'network.listen': LISTEN,
  ...(seed === undefined ? {} : { 'network.bootstrap': seed.address, 'sync.follow': seed.peerId }),
  'topology.region': region,
  'mirroring.enabled': 'true',
  'mirror.strategy': 'geographic',
  'mirror.min': String(POLICY.min),
  'mirror.target': String(TARGET),
  'mirror.max': String(POLICY.max),
  'mirror.grace': `${GRACE_MS}ms`,
  'mirror.quota': String(name === SMALL ? SMALL_QUOTA_BYTES : 1e9)
})

async function publish(name: string): Promise<void> {
  const files = { 'file.bin': randomBytes(RELEASE_BYTES) }
  await daemon('eu1').publish({ name, version: '1.0.0', files })
  published.push(name)
}

const statusOf = ({ name }: RegionHost): Promise<MirrorStatus> => daemon(name).ok('GET', '/v1/mirror')

/** What each node that is alive holds. */
async function heldNow(): Promise<Map<RegionHost, MirrorCopyShape[]>> {
  const hosts = alive()
  const copies = await Promise.all(hosts.map(async host => (await statusOf(host)).copies))
  return new Map(hosts.map((host, at) => [host, copies[at]!.filter(({ state }) => state === 'held')]))
}

const holdersOf = async (name: string): Promise<RegionHost[]> =>
  [...(await heldNow())].filter(([, copies]) => copies.some(copy => copy.name === name)).map(([host]) => host)

/** Has all of them look at everything and plan; whether they did so at a time or later. */
const isPlannedAt = (atMs: number) => async (): Promise<boolean> => {
  await Promise.all(alive().map(({ name }) => daemon(name).operation('/v1/mirror/runs', {})))
  return (await Promise.all(alive().map(statusOf))).every(({ planned }) => Date.parse(planned!.at) >= atMs)
}

/** Those that keep everything as it is, since the network is split. */
async function frozenNow(): Promise<RegionHost[]> {
  const isFrozen = (await Promise.all(alive().map(statusOf))).map(status => status.isFrozen)
  return alive().filter((_, at) => isFrozen[at])
}

/** Copies of nodes: those that are held, and those on their way or about to be. */
async function copiesOf(hosts: RegionHost[]): Promise<{ held: string[]; begun: string[] }> {
  const all = (await Promise.all(hosts.map(statusOf))).flatMap(({ copies }, at) =>
    copies.map(({ name, state }) => ({ copy: `${name} at ${hosts[at]!.name}`, state }))
  )
  const copies = (isHeld: boolean): string[] =>
    all.filter(({ state }) => (state === 'held') === isHeld).map(({ copy }) => copy)
  return { held: copies(true), begun: copies(false) }
}

/** What is wrong with the copies that there are, by the rules of the simulator; undefined when nothing is. */
async function faultNow(): Promise<string | undefined> {
  const held = await heldNow()
  const isPublisher = daemons.has('eu1')
  for (const name of published) {
    const mirrors = [...held].filter(([, copies]) => copies.some(copy => copy.name === name)).length
    const sites = mirrors + (isPublisher ? 1 : 0)
    const fault = placementFault({ name, sites, mirrors, able: held.size }, POLICY)
    if (fault !== undefined) return fault
  }
  return undefined
}

const isPlaced = async (): Promise<boolean> => (await faultNow()) === undefined

describe.skipIf(none !== undefined)(
  `twelve nodes in three regions (${none ?? 'over links with delay'})`,
  () => {
    beforeAll(async () => {
      net = await TestNet.create()
      regions = await Regions.create(PLAN)
      await startAll()
    }, 180_000)
    afterAll(async () => {
      await net?.destroy()
      await regions?.destroy()
    })

    it('know each other, and place copies of what is published in different regions', async () => {
      for (const name of ['one', 'two', 'three', 'four']) await publish(name)
      await eventually(async () => {
        const members = await Promise.all(alive().map(async host => (await statusOf(host)).members))
        return members.every(count => count === alive().length)
      }, 60_000)
      await eventually(isPlaced, 60_000)
      // Those that were taken when only neighbours were known come first.
      for (const name of published)
        await eventually(async () => (await holdersOf(name)).some(({ region }) => region !== 'eu'), 60_000)
    })

    it('keep their quotas, and tell what they have no room for', async () => {
      const held = await heldNow()
      for (const [{ name }, copies] of held) {
        const quotaBytes = name === SMALL ? SMALL_QUOTA_BYTES : 1e9
        const all = copies.map(({ content, bytes }) => ({ content, bytes, owner: 'the publisher' }))
        for (const copy of all) {
          const node = {
            name,
            quotaBytes,
            copies: all.filter(other => other !== copy),
            blocked: new Set<string>()
          }
          expect(takeFault(node, copy)).toBeUndefined()
        }
      }
    })

    it('move nothing while a region is cut off, and make up for it when it is back', async () => {
      // Who knows only some may lose too few of them to tell a split from peers that are off.
      await eventually(async () => {
        const all = await Promise.all(alive().map(({ name }) => daemon(name).ok('GET', '/v1/status')))
        return all.every(({ peers }) => peers === alive().length - 1)
      }, MESH_MS)
      await regions.cutOff('ap')
      // Who is cut off loses two of three, the others four of eleven: just more than it takes to tell a split from peers that are off.
      await eventually(async () => (await frozenNow()).length === alive().length, NOTICE_MS)
      const before = await copiesOf(alive())
      await publish('five')
      // Whatever they plan, by hand too, until longer than the grace of those that come next.
      await eventually(isPlannedAt(Date.now() + 2 * GRACE_MS), REPAIR_MS)
      // What was on its way may come, or fail; nothing else does, and nothing goes.
      const after = await copiesOf(alive())
      expect(after.held).toEqual(expect.arrayContaining(before.held))
      expect([...before.held, ...before.begun]).toEqual(
        expect.arrayContaining([...after.held, ...after.begun])
      )
      await regions.restore('ap')
      await eventually(isPlaced, REPAIR_MS)
    })

    it('make up for nodes that are killed, the publisher among them', async () => {
      // Fewer than a third at once: more might be a network that is split, and nothing would move for a while.
      const before = await holdersOf('one')
      const lost = before.find(({ name }) => name !== 'eu1')!
      for (const name of ['eu1', lost.name]) {
        await daemon(name).kill()
        daemons.delete(name)
      }
      expect((await holdersOf('one')).length).toBeLessThan(before.length)
      for (const name of published)
        await eventually(async () => (await holdersOf(name)).length >= POLICY.min, REPAIR_MS)
    })

    it('give what they hold to who comes, over a slow and lossy link', async () => {
      await regions.set('eu', 'us', { rateMbit: 4, lossPercent: 1 })
      await regions.set('eu', 'ap', { rateMbit: 4, lossPercent: 1 })
      const [reader] = alive()
      const { result } = await daemon(reader!.name).operation('/v1/fetches', { spec: 'one@1.0.0' })
      expect(result).toMatchObject({ name: 'one', version: '1.0.0' })
    })
  }
)
