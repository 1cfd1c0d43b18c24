/** Records that are known from closed libraries: who is shown them, and what opens them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createAttestationRecord,
  createStatusRecord,
  KeyFamily,
  type ReleaseRecord
} from '../../../library/index.ts'
import { NOW_MS } from '../records/examples.ts'
import { follow, numbered, range } from './homes.ts'
import {
  ada,
  keys,
  make,
  member,
  openForEachTest,
  outsider,
  rowsOf,
  shown,
  team,
  writer,
  yank
} from './team.ts'

openForEachTest()

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
