/** Libraries that are not for everybody: who gets a copy, what others see of it, and what is left when somebody is shut out. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HOUR_MS } from '../../../base/index.ts'
import {
  ACCESS_LIFETIME_MS,
  createAttestationRecord,
  createStatusRecord,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  type ReleaseRecord
} from '../../../library/index.ts'
import { encodeSyncMessage } from '../../../protocols/index.ts'
import { type Access, decodeHead, signHead } from '../../../sync/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { follow, numbered, range, type SessionOptions, SyncHome } from './homes.ts'

const ada = keyOf('ada')

let writer: SyncHome
let member: SyncHome
let outsider: SyncHome
beforeEach(async () => {
  writer = await SyncHome.open('writer')
  member = await SyncHome.open('member')
  outsider = await SyncHome.open('outsider')
})
afterEach(() => Promise.all([writer, member, outsider].map(home => home.close())))

const make = (access: Access, members: SyncHome[] = [], name = 'team'): Promise<undefined> =>
  writer.sets.access.create({ name, access, members: members.map(({ key }) => key.publicKey) })

const keys = (...homes: SyncHome[]): Uint8Array[] => homes.map(({ key }) => key.publicKey)
const grant = (...homes: SyncHome[]): Promise<undefined> =>
  writer.sets.access.changeMembers('team', { joining: keys(...homes), leaving: [] })
const revoke = (...homes: SyncHome[]): Promise<undefined> =>
  writer.sets.access.changeMembers('team', { joining: [], leaving: keys(...homes) })

const team = (follower: SyncHome, source = writer, options: SessionOptions = {}): ReturnType<typeof follow> =>
  follow(follower, source, { of: writer, name: 'team', ...options })

/** What a peer gets of a release without a library. */
const shown = async (home: SyncHome, { id, release: { name } }: ReleaseRecord): Promise<number> => {
  const page = await home.registry.storedPage({ name, limit: 10 })
  const byId = (await home.registry.stored(id)) === undefined ? 0 : 1
  expect(page.records).toHaveLength(byId)
  return byId
}

const yank = (of: ReleaseRecord): Uint8Array =>
  createStatusRecord({ ...of.release, state: 'yanked', sequence: NOW_MS + 1 }, ada).bytes

const NOT_HERE = { code: 'NOT_FOUND', message: 'this node has no such library' }

async function rowsOf(home: SyncHome, family: string): Promise<number> {
  let rows = 0
  for await (const _ of home.reader.iterate({ prefix: makeKey(family) })) rows++
  return rows
}

describe('a restricted library', () => {
  test('is for those on its list, and not there for others', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', ...range(0, 40))
    expect(await team(member)).toMatchObject({ state: 'updated', received: 41 })
    const [found] = await member.registry.versions('package-7')
    expect(found).toMatchObject({ id: numbered(7).id })
    await expect(team(outsider)).rejects.toMatchObject(NOT_HERE)
    await expect(team(outsider, writer, { name: 'nothing' })).rejects.toMatchObject(NOT_HERE)
    expect(await writer.sets.access.admits(writer.idOf('team'), outsider.key.publicKey)).toBe(false)
    expect(await writer.sets.access.admits(writer.idOf('nothing'), outsider.key.publicKey)).toBe(false)
  })

  test('is shown by those who follow it to the others on its list, and to nobody else', async () => {
    const third = await SyncHome.open('third')
    try {
      await make('restricted', [member, third])
      await writer.publishIn('team', numbered(1))
      await team(member)
      expect(await team(third, member)).toMatchObject({ state: 'updated', received: 2 })
      await expect(team(outsider, member)).rejects.toMatchObject(NOT_HERE)
      expect(decodeHead((await member.sets.headOf(writer.idOf('team')))!).isClosed).toBe(true)
    } finally {
      await third.close()
    }
  })

  test('shows nothing of its records by id or name, there and where it is followed', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', numbered(1))
    await writer.publish(numbered(2))
    await team(member)
    expect(await shown(writer, numbered(1))).toBe(0)
    expect(await shown(member, numbered(1))).toBe(0)
    expect(await shown(writer, numbered(2))).toBe(1)
    const may = (home: SyncHome, who: SyncHome): Promise<boolean> =>
      home.sets.access.admitsTo(numbered(1), who.key.publicKey)
    expect([await may(writer, member), await may(writer, outsider)]).toEqual([true, false])
    expect([await may(member, writer), await may(member, outsider)]).toEqual([true, false])
    expect(writer.registry.isClosed(numbered(1))).toBe(true)
    expect(await rowsOf(writer, KeyFamily.Announcement), 'only the name that is public').toBe(1)
  })

  test('shuts out who is taken off its list, at once there and elsewhere when that is heard of', async () => {
    await make('restricted', [member, outsider])
    await writer.publishIn('team', numbered(1))
    await team(member)
    await team(outsider)
    const { libraryId } = await writer.sets.access.ownNamed('team')
    const before = await writer.sets.access.accessOf(libraryId)
    await revoke(outsider)
    const after = await writer.sets.access.accessOf(libraryId)
    expect(after?.secret).not.toEqual(before?.secret)
    await expect(team(outsider)).rejects.toMatchObject(NOT_HERE)
    expect(await team(outsider, member), 'which has not heard of it').toMatchObject({ state: 'equal' })
    await team(member)
    await expect(team(outsider, member)).rejects.toMatchObject(NOT_HERE)
    await grant(outsider)
    expect(await team(outsider)).toMatchObject({ state: 'updated' })
  })

  test('is shown by nobody but its writer once nobody has renewed its list', async () => {
    await make('restricted', [member, outsider])
    await writer.publishIn('team', numbered(1))
    await team(member)
    member.nowMs += ACCESS_LIFETIME_MS
    outsider.nowMs = member.nowMs
    await expect(team(outsider, member)).rejects.toMatchObject(NOT_HERE)
    writer.nowMs = member.nowMs
    await expect(team(outsider), 'its writer is as strict').rejects.toMatchObject(NOT_HERE)
    const library = await writer.sets.access.ownNamed('team')
    expect(await writer.sets.access.renewAccess(library)).toBe(true)
    expect(await writer.sets.access.renewAccess(library), 'once a day').toBe(false)
    await team(member)
    expect(await team(outsider, member)).toMatchObject({ state: 'updated' })
  })

  test('is given back to its writer by those who have it', async () => {
    await make('restricted', [member])
    await team(member)
    expect(await member.sets.access.admits(writer.idOf('team'), writer.key.publicKey)).toBe(true)
  })

  test('leaves nothing where it is let go of, and records that it loses go', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', ...range(0, 20))
    await team(member)
    await writer.registry.remove(numbered(3).id)
    await team(member)
    expect(await member.registry.versions('package-3')).toEqual([])
    await member.sets.forget(writer.idOf('team'))
    for (const family of [KeyFamily.Record, KeyFamily.RecordId, KeyFamily.NameIndex, KeyFamily.Membership])
      expect(await rowsOf(member, family)).toBe(0)
  })

  test('cannot become a public one, nor the other way round', async () => {
    await make('restricted', [member])
    await team(member)
    const library = writer.idOf('team')
    const open = (): Uint8Array[] => {
      const { previous, ...head } = decodeHead(shownHead)
      const next = { ...head, revision: head.revision + 1, previous: head.hash, isClosed: false }
      return [encodeSyncMessage({ kind: 'head', body: { library, head: signHead(next, writer.key).bytes } })]
    }
    const shownHead = (await writer.sets.headOf(library))!
    await expect(team(member, writer, { change: open })).rejects.toMatchObject({ code: 'HEAD_INVALID' })
  })

  test('does not let in again who was shut out when its node goes back to an earlier list', async () => {
    await make('restricted', [member])
    for (const home of [writer, member]) home.nowMs += HOUR_MS
    await grant(outsider)
    await revoke(outsider)
    await team(member)
    // A list that is too far ahead of the clock is signed with the time of the clock: as a restored home would.
    for (const home of [writer, member]) home.nowMs -= HOUR_MS
    await grant(outsider)
    const { message } = await team(member).then(
      () => new Error('taken'),
      (thrown: Error) => thrown
    )
    expect(message).toContain('earlier one')
    expect(await member.sets.access.admits(writer.idOf('team'), outsider.key.publicKey)).toBe(false)
  })

  test('is part of no bundle', async () => {
    await make('restricted', [member])
    await expect(writer.sets.show(writer.idOf('team'), async () => undefined)).rejects.toMatchObject({
      code: 'NOT_PERMITTED'
    })
  })
})

describe('a library', () => {
  test('is made once, with a name that can be one', async () => {
    await make('public')
    await expect(make('restricted')).rejects.toMatchObject({ code: 'LIBRARY_EXISTS' })
    for (const name of [HOME_LIBRARY, 'private'])
      await expect(make('public', [], name)).rejects.toMatchObject({ code: 'LIBRARY_EXISTS' })
    for (const name of ['', '../x', 'A', 'a/b', 'x'.repeat(65)])
      await expect(make('public', [], name)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(grant(member)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(writer.sets.access.ownNamed('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await writer.sets.access.own()).map(({ name }) => name)).toEqual(['home', 'private', 'team'])
  })

  test('that is public is for everybody, beside home', async () => {
    await make('public')
    await writer.publishIn('team', numbered(1))
    await writer.publish(numbered(2))
    expect(await team(outsider)).toMatchObject({ state: 'updated', received: 1 })
    expect(await follow(outsider, writer)).toMatchObject({ received: 1 })
    expect(await shown(outsider, numbered(1))).toBe(1)
  })

  test('that nothing is in yet has a head', async () => {
    await make('public')
    expect(await team(outsider)).toMatchObject({ records: 0 })
  })

  test('called private is never shown', async () => {
    await writer.publishIn('private', numbered(1))
    await expect(team(member, writer, { name: 'private' })).rejects.toMatchObject(NOT_HERE)
    expect(await shown(writer, numbered(1))).toBe(0)
  })

  test('of a group changes with it', async () => {
    await writer.sets.access.changeGroup('friends', { joining: keys(member), leaving: [] })
    await writer.sets.access.create({ name: 'team', access: 'friends', group: 'friends', members: [] })
    await writer.publishIn('team', numbered(1))
    await team(member)
    await expect(grant(outsider)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await writer.sets.access.changeGroup('friends', { joining: keys(outsider), leaving: keys(member) })
    expect(await team(outsider)).toMatchObject({ state: 'updated' })
    await expect(team(member)).rejects.toMatchObject(NOT_HERE)
    expect((await writer.sets.access.groups()).map(({ members }) => members)).toEqual([keys(outsider)])
  })
})

describe('a record', () => {
  test('of a closed library becomes public when it is published at home, with what is said of it', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', numbered(1))
    await writer.registry.publishStatement(yank(numbered(1)))
    expect((await team(member)).records, 'list, release and status').toBe(3)
    expect(await rowsOf(writer, KeyFamily.Announcement)).toBe(0)
    await writer.publish(numbered(1))
    await writer.registry.publishStatement(yank(numbered(1)))
    expect((await writer.registry.stored(numbered(1).id))?.statements).toHaveLength(1)
    expect(await shown(writer, numbered(1))).toBe(1)
    expect(await shown(member, numbered(1)), 'which knows it from the library only').toBe(0)
  })

  test('that is public stays so when it joins a closed library', async () => {
    await make('restricted', [member])
    await writer.publish(numbered(1))
    await writer.publishIn('team', numbered(1))
    expect(await shown(writer, numbered(1))).toBe(1)
    await member.registry.add(numbered(1).bytes)
    await team(member)
    expect(await shown(member, numbered(1))).toBe(1)
    await member.sets.forget(writer.idOf('team'))
    expect(await shown(member, numbered(1))).toBe(1)
  })

  test('of a closed library never takes the place of one that others may see', async () => {
    await make('restricted', [member])
    await member.publish(numbered(1))
    await member.registry.publishStatement(yank(numbered(1)))
    const root = await member.root()
    const newer = numbered(1, NOW_MS + 9)
    await writer.publishIn('team', newer, numbered(2))
    const active = { ...newer.release, state: 'active', sequence: NOW_MS + 9 } as const
    await writer.registry.publishStatement(createStatusRecord(active, ada).bytes)
    await team(member)
    expect(await member.root(), 'what everybody is shown').toBe(root)
    expect((await member.registry.versions('package-1')).map(({ id }) => id)).toEqual([numbered(1).id])
    expect((await member.registry.stored(numbered(1).id))?.statements).toEqual([yank(numbered(1))])
    expect(await member.registry.versions('package-2')).toHaveLength(1)
    await member.sets.forget(writer.idOf('team'))
    expect(await member.root()).toBe(root)
    expect(await shown(member, numbered(1))).toBe(1)
  })

  test('of a closed library of another node stays there when older words are published at home', async () => {
    await make('restricted', [member])
    const newer = numbered(1, NOW_MS + 9)
    await writer.publishIn('team', newer)
    await team(member)
    await member.publish(numbered(1))
    expect(await member.registry.stored(newer.id)).toBeUndefined()
    expect(await shown(member, numbered(1))).toBe(1)
    expect((await follow(outsider, member)).received).toBe(1)
    expect((await outsider.registry.versions('package-1')).map(({ id }) => id)).toEqual([numbered(1).id])
    expect(await member.followedWhole()).toHaveLength(1)
    await member.sets.forget(writer.idOf('team'))
    expect(await shown(member, numbered(1))).toBe(1)
  })

  test('that is closed is opened by nobody else: not by words of peers, nor by a library that has it too', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', ...range(0, 30))
    await team(member)
    await outsider.publish(...range(0, 30))
    await follow(member, outsider)
    await member.registry.add(numbered(2, NOW_MS + 5).bytes)
    for (const number of [1, 2]) {
      const [now] = await member.registry.versions(`package-${number}`)
      expect(await shown(member, now!)).toBe(0)
      expect(await member.sets.access.admitsTo(now!, outsider.key.publicKey)).toBe(false)
      expect(await member.sets.access.admitsTo(numbered(1), writer.key.publicKey)).toBe(true)
    }
  })

  test('of two closed libraries stays known while one of them is here', async () => {
    await make('restricted', [member])
    await outsider.sets.access.create({ name: 'team', access: 'restricted', members: keys(member) })
    await writer.publishIn('team', numbered(1, NOW_MS + 5))
    await outsider.publishIn('team', numbered(1))
    await team(member)
    await follow(member, outsider, { of: outsider, name: 'team' })
    await member.sets.forget(writer.idOf('team'))
    expect((await member.registry.versions('package-1')).map(({ id }) => id)).toEqual([numbered(1).id])
    expect(await shown(member, numbered(1))).toBe(0)
    await expect(member.registry.remove(numbered(1).id)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
  })

  test('is found by its name when its library goes back to an earlier one for its key', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', numbered(1, NOW_MS + 5))
    await team(member)
    await writer.registry.remove(numbered(1, NOW_MS + 5).id)
    await writer.publishIn('team', numbered(1))
    await team(member)
    expect((await member.registry.versions('package-1')).map(({ id }) => id)).toEqual([numbered(1).id])
  })

  test('brings what is said of it along, and newer words of closed libraries do not come out by older ones', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', numbered(1))
    await writer.registry.publishStatement(yank(numbered(1)))
    await writer.publish(numbered(1))
    expect((await writer.registry.stored(numbered(1).id))?.statements).toEqual([yank(numbered(1))])
    await writer.publishIn('team', numbered(2, NOW_MS + 5))
    await expect(writer.registry.publish(numbered(2).bytes)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
  })

  test('of a closed library of another node is nothing to speak of at home', async () => {
    await make('restricted', [member])
    await writer.publishIn('team', numbered(1))
    await team(member)
    const said = createAttestationRecord(
      { ...numbered(1).release, statement: 'tested', holds: true, sequence: NOW_MS },
      ada
    )
    await expect(member.registry.publishStatement(said.bytes)).rejects.toMatchObject({
      code: 'NOT_PERMITTED'
    })
    await expect(member.registry.revise(numbered(1, NOW_MS + 5).bytes)).rejects.toMatchObject({
      code: 'NOT_PERMITTED'
    })
  })

  test('is shown to everybody exactly while something public has or had it', async () => {
    await make('restricted', [member], 'closed')
    await make('public', [], 'open')
    const kind = fc.constantFrom('closed', 'open', 'home', 'private', 'revise', 'yank', 'remove')
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ kind, number: fc.nat(3) }), { maxLength: 25 }), async steps => {
        const shelf = new Shelf(++round)
        for (const { kind, number } of steps) await shelf.step(kind, number)
        await shelf.check()
        for (const { libraryId } of await writer.sets.access.own())
          expect((await writer.sets.check(libraryId)).problems).toEqual([])
      }),
      { numRuns: 40, seed: 7 }
    )
  })
})

/** Packages of one round, and what is known of who may see them. */
class Shelf {
  readonly #round: number
  readonly #known = new Map<number, { isOpen: boolean }>()
  #sequence = NOW_MS

  constructor(round: number) {
    this.#round = round
  }

  async step(kind: string, number: number): Promise<void> {
    const now = await this.#now(number)
    if (kind === 'remove') {
      if (now !== undefined) await writer.registry.remove(now.id)
      this.#known.delete(number)
    } else if (kind === 'revise') {
      const newer = numbered(this.#numberOf(number), ++this.#sequence)
      if (now !== undefined) await writer.registry.revise(newer.bytes)
    } else if (kind === 'yank') {
      if (now !== undefined) await writer.registry.publishStatement(yank(now))
    } else {
      await writer.publishIn(kind, numbered(this.#numberOf(number)))
      const isOpen = kind === 'open' || kind === 'home' || this.#known.get(number)?.isOpen === true
      this.#known.set(number, { isOpen })
    }
  }

  async check(): Promise<void> {
    for (const [number, { isOpen }] of this.#known) {
      const now = (await this.#now(number))!
      expect(await shown(writer, now)).toBe(isOpen ? 1 : 0)
      const said = (await writer.registry.stored(now.id))?.statements.length ?? 0
      if (!isOpen) expect(said).toBe(0)
    }
  }

  #numberOf(number: number): number {
    return 10 * this.#round + number
  }

  async #now(number: number): Promise<ReleaseRecord | undefined> {
    return (await writer.registry.versions(`package-${this.#numberOf(number)}`))[0]
  }
}
