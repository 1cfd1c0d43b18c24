/** Unions: what followed libraries have joins home, in whatever order, and stays there. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createAttestationRecord,
  createReleaseRecord,
  createStatusRecord,
  HOME_LIBRARY,
  type Release,
  type ReleaseIdentity,
  type ReleaseRecord,
  readAnnouncement,
  recordHash
} from '../../../library/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { follow, numbered, range, SyncHome } from './homes.ts'

const homes: SyncHome[] = []
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

const open = (...names: string[]): Promise<SyncHome[]> =>
  Promise.all(
    names.map(async name => {
      const home = await SyncHome.open(name)
      homes.push(home)
      return home
    })
  )

interface UnionOptions {
  isMeant?: (release: Release) => boolean
  isRefused?: (release: ReleaseIdentity) => boolean
  isDryRun?: boolean
  /** Of the source's libraries; home unless given. */
  name?: string
}

/** Has the copy of a library join home, as it stands; how many records did. */
async function join(home: SyncHome, source: SyncHome, options: UnionOptions = {}): Promise<number> {
  const { isDryRun = false, name = HOME_LIBRARY, ...which } = options
  const library = source.idOf(name)
  let joined = 0
  for (let after = {}; ; ) {
    const { recHashes, next } = await home.sets.joining(library, { ...which, ...after })
    joined += await home.sets.join({ library, recHashes, isDryRun })
    if (next === undefined) return joined
    after = { after: next }
  }
}

async function union(home: SyncHome, source: SyncHome, options: UnionOptions = {}): Promise<number> {
  await follow(home, source)
  return await join(home, source, options)
}

const ada = keyOf('ada')
const eve = keyOf('eve')
const yank = (of: ReleaseRecord, sequence = NOW_MS): Uint8Array =>
  createStatusRecord({ ...of.release, state: 'yanked', sequence }, ada).bytes
const attest = (of: ReleaseRecord): Uint8Array =>
  createAttestationRecord({ ...of.release, statement: 'tested', holds: true, sequence: NOW_MS }, eve).bytes

const homeOf = async (home: SyncHome): Promise<string> => {
  expect(await home.sets.check(HOME_LIBRARY)).toMatchObject({ ok: true, problems: [] })
  const { root, head } = await home.sets.state(HOME_LIBRARY)
  if (head !== undefined) expect(head.root).toEqual(root)
  return Buffer.from(root).toString('hex')
}

describe('a union', () => {
  test('is made of releases and of what is said of them, and others find them in the home of this node', async () => {
    const [source, home, other] = await open('source', 'home', 'other')
    await source!.publish(...range(0, 100))
    await source!.registry.publishStatement(yank(numbered(1)))
    await source!.registry.publishStatement(attest(numbered(2)))
    await home!.publish(numbered(100))
    expect(await union(home!, source!)).toBe(102)
    expect(home!.registry.count()).toBe(101)
    expect(readAnnouncement(home!.reader, 'package-7')?.dueMs).toBe(NOW_MS)
    await follow(other!, home!)
    expect(await other!.followedWhole()).toEqual([await homeOf(home!)])
    expect(other!.registry.status(numbered(1).release)?.status.state).toBe('yanked')
    expect(await union(home!, source!), 'once').toBe(0)
  })

  test('keeps what its source lets go of, and takes newer words from it', async () => {
    const [source, home] = await open('source', 'home')
    await source!.publish(...range(0, 3))
    await union(home!, source!)
    await source!.registry.remove(numbered(0).id)
    await source!.registry.revise(numbered(1, NOW_MS + 1).bytes)
    expect(await union(home!, source!), 'the newer words came to home with the copy').toBe(0)
    expect(await home!.registry.isOwn(numbered(0).bytes)).toBe(true)
    expect(await home!.registry.isOwn(numbered(1, NOW_MS + 1).bytes)).toBe(true)
    expect(await home!.registry.isOwn(numbered(1).bytes)).toBe(false)
    expect(home!.registry.count()).toBe(3)
    await homeOf(home!)
    await home!.sets.forget(source!.library)
    expect(home!.registry.count(), 'also without the copy').toBe(3)
    await homeOf(home!)
  })

  test('of a part is of the releases that are meant, with what is said of those and of no others', async () => {
    const [source, home] = await open('source', 'home')
    await source!.publish(...range(0, 4))
    for (const number of [1, 2]) await source!.registry.publishStatement(attest(numbered(number)))
    const isMeant = ({ name }: Release): boolean => name === 'package-1'
    await follow(home!, source!)
    expect(await join(home!, source!, { isMeant, isDryRun: true })).toBe(2)
    expect(home!.registry.count(), 'nothing was done').toBe(0)
    expect(await join(home!, source!, { isMeant })).toBe(2)
    expect(await home!.registry.isOwn(numbered(1).bytes)).toBe(true)
    expect(await home!.registry.isOwn(attest(numbered(1)))).toBe(true)
    expect(await home!.registry.isOwn(attest(numbered(2)))).toBe(false)
    expect(home!.registry.count()).toBe(1)
  })

  test('takes nothing of what is refused, and what is said of the rest also where the releases are elsewhere', async () => {
    const [source, attestor, home] = await open('source', 'attestor', 'home')
    await source!.publish(...range(0, 3))
    for (const number of [1, 2]) await attestor!.registry.publishStatement(attest(numbered(number)))
    const isRefused = ({ name }: ReleaseIdentity): boolean => name === 'package-1'
    expect(await union(home!, source!, { isRefused })).toBe(2)
    expect(await home!.registry.isOwn(numbered(1).bytes)).toBe(false)
    expect(await union(home!, attestor!, { isRefused })).toBe(1)
    expect(await home!.registry.isOwn(attest(numbered(2)))).toBe(true)
  })

  test('does not bring back what the user took out', async () => {
    const [source, home] = await open('source', 'home')
    await source!.publish(...range(0, 3))
    await source!.registry.publishStatement(attest(numbered(1)))
    await union(home!, source!)
    await home!.registry.remove(numbered(1).id)
    expect(await union(home!, source!)).toBe(0)
    expect(home!.registry.count()).toBe(2)
  })

  test('takes nothing that is said of a release without it', async () => {
    const [source, attestor, home, other] = await open('source', 'attestor', 'home', 'other')
    await source!.publish(...range(0, 3))
    await attestor!.registry.publishStatement(attest(numbered(1)))
    await attestor!.registry.publishStatement(attest(numbered(2)))
    expect(await union(home!, attestor!), 'nothing is known of the releases').toBe(0)
    expect(await union(home!, source!)).toBe(3)
    expect(await join(home!, attestor!), 'they are in home').toBe(2)
    await home!.registry.remove(numbered(1).id)
    await source!.registry.publishStatement(yank(numbered(1)))
    await source!.registry.publishStatement(yank(numbered(2)))
    expect(await union(home!, source!), 'what was taken out stays out, with all that is said of it').toBe(1)
    expect(await home!.registry.isOwn(yank(numbered(2)))).toBe(true)
    await follow(other!, home!)
    expect((await other!.followed())[0]).toMatchObject({ records: 4 })
  })

  test('takes nothing of a library that is not for everybody', async () => {
    const [source, home] = await open('source', 'home')
    await source!.sets.access.create({ name: 'team', access: 'restricted', members: [home!.key.publicKey] })
    await source!.publishIn('team', numbered(1))
    await follow(home!, source!, { name: 'team' })
    await expect(join(home!, source!, { name: 'team' })).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
    const asked = {
      library: source!.idOf('team'),
      recHashes: [recordHash(numbered(1).bytes)],
      isDryRun: false
    }
    await expect(home!.sets.join(asked)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
    expect(home!.registry.count()).toBe(0)
  })

  test('of a library that is not for everybody ends before anything of it has come', async () => {
    const [source, home] = await open('source', 'home')
    await source!.sets.access.create({ name: 'team', access: 'restricted', members: [home!.key.publicKey] })
    await source!.publish(numbered(2))
    await source!.publishIn('team', numbered(1))
    const refused = follow(home!, source!, { name: 'team', isToJoin: true })
    await expect(refused).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await home!.followed()).toEqual([])
    expect((await follow(home!, source!, { isToJoin: true })).state, 'others come').toBe('updated')
  })

  test('takes nothing that only a closed library has', async () => {
    const [source, team, home] = await open('source', 'team', 'home')
    await source!.publish(...range(0, 2))
    await follow(home!, source!)
    await team!.sets.access.create({ name: 'team', access: 'restricted', members: [home!.key.publicKey] })
    const newer = numbered(1, NOW_MS + 1)
    await team!.publishIn('team', newer)
    await follow(home!, team!, { name: 'team' })
    expect(await join(home!, source!)).toBe(2)
    expect(await home!.registry.isOwn(newer.bytes)).toBe(false)
  })

  test('of a library that is not here is empty', async () => {
    const [source, home] = await open('source', 'home')
    expect(await join(home!, source!)).toBe(0)
  })
})

const WORDS = [
  (number: number, sequence: number) => numbered(number, sequence),
  // Of the same package another content, which is another key.
  (number: number, sequence: number) =>
    createReleaseRecord(small({ name: `package-${number}`, content: contentOf('other'), sequence }), eve)
]

interface Published {
  /** Which source. */
  at: number
  number: number
  kind: number
  sequence: number
}

test('unions of the same libraries in any order, and as often as one likes, are the same set', async () => {
  const [one, two, three, mine, yours] = await open('one', 'two', 'three', 'mine', 'yours')
  const sources = [one!, two!, three!]
  const nth = fc.nat(2)
  const record: fc.Arbitrary<Published> = fc.record({
    at: nth,
    number: fc.nat(6),
    kind: fc.nat(3),
    sequence: fc.nat(3)
  })
  const orders = fc.tuple(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), fc.array(nth, { maxLength: 3 }))
  const publish = async (home: SyncHome, { number, kind, sequence }: Published): Promise<void> => {
    const atMs = NOW_MS + sequence
    const release = WORDS[kind % 2]!(number, atMs)
    if (kind < 2) {
      const known = await home.registry.versions(`package-${number}`)
      const isKnown = known.some(
        ({ release: { owner } }) => Buffer.compare(owner, release.release.owner) === 0
      )
      await (isKnown ? home.registry.revise(release.bytes) : home.registry.publish(release.bytes))
    } else
      await home.registry.publishStatement(
        kind === 2 ? yank(numbered(number), atMs) : attest(numbered(number))
      )
  }
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), orders, orders, async (records, ...both) => {
      for (const one of records) await publish(sources[one.at]!, one)
      for (const [index, [order, again]] of both.entries()) {
        const home = [mine!, yours!][index]!
        // What is said of a release joins once that is here: the second round brings what came too early.
        for (const at of [...again, ...order, ...order]) await union(home, sources[at]!)
      }
      expect(await homeOf(mine!)).toBe(await homeOf(yours!))
    }),
    { numRuns: 15, seed: 20261129 }
  )
  expect(mine!.registry.count()).toBeGreaterThan(10)
})
