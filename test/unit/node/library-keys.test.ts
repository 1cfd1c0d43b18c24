/** Under which keys a node tells the DHT which libraries it has. Libraries are real, the network notes what it is told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { closedKey, keyText, libraryKey, nameKey, recordKey } from '../../../discovery/index.ts'
import { ACCESS_LIFETIME_MS } from '../../../library/index.ts'
import { LibraryAnnouncing } from '../../../node/services/library-announcing.ts'
import { LibraryKeys } from '../../../node/services/library-keys.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'

const { signal } = new AbortController()

let writer: SyncHome
let member: SyncHome
let outsider: SyncHome
beforeEach(async () => {
  writer = await SyncHome.open('writer')
  member = await SyncHome.open('member')
  outsider = await SyncHome.open('outsider')
})
afterEach(() => Promise.all([writer, member, outsider].map(home => home.close())))

const keysOf = (home: SyncHome): LibraryKeys =>
  new LibraryKeys(
    { sets: home.sets, clock: { now: () => home.nowMs }, logger: silentLogger },
    { writer: home.key.publicKey }
  )
const announced = async (home: SyncHome): Promise<string[]> => (await keysOf(home).all(signal)).map(keyText)

const make = (name: string, members?: SyncHome[]): Promise<undefined> =>
  writer.sets.access.create({
    name,
    access: members === undefined ? 'public' : 'restricted',
    members: (members ?? []).map(({ key }) => key.publicKey)
  })
const get = (home: SyncHome, name: string): Promise<unknown> => follow(home, writer, { of: writer, name })

async function secretKey(): Promise<string> {
  const { libraryId, id } = await writer.sets.access.ownNamed('team')
  return keyText(closedKey((await writer.sets.access.accessOf(libraryId))!.secret, id))
}

describe('a closed library', () => {
  beforeEach(async () => {
    await make('team', [member, outsider])
    await writer.publishIn('team', numbered(1))
  })

  test('is announced under one key by its writer and by whoever has it whole, and by nobody else', async () => {
    expect(await announced(member)).toEqual([])
    await get(member, 'team')
    expect(await announced(writer)).toEqual([await secretKey()])
    expect(await announced(member)).toEqual([await secretKey()])
    await member.sets.forget(writer.idOf('team'))
    expect(await announced(member)).toEqual([])
  })

  test('has a key that nothing but its secret leads to', async () => {
    const id = writer.idOf('team')
    const { name } = numbered(1).release
    const guesses = [libraryKey(id), nameKey(name), nameKey('team'), recordKey(numbered(1).id.bytes)]
    const withoutSecret = [closedKey(new Uint8Array(32), id), closedKey(id, id)]
    for (const guess of [...guesses, ...withoutSecret])
      expect(await announced(writer)).not.toContain(keyText(guess))
  })

  test('has another key once somebody was shut out, who goes on under the old one until the list expires', async () => {
    await get(member, 'team')
    await get(outsider, 'team')
    const before = await secretKey()
    const leaving = [outsider.key.publicKey]
    await writer.sets.access.changeMembers('team', { joining: [], leaving })
    expect(await secretKey()).not.toBe(before)
    expect(await announced(writer)).toEqual([await secretKey()])
    expect(await announced(member), 'which has not heard of it').toEqual([before])
    await get(member, 'team')
    expect(await announced(member)).toEqual([await secretKey()])
    outsider.nowMs += ACCESS_LIFETIME_MS
    expect(await announced(outsider)).toEqual([])
  })

  test('keeps its key when somebody joins', async () => {
    const before = await secretKey()
    const joining = [keyOf('third').publicKey]
    await writer.sets.access.changeMembers('team', { joining, leaving: [] })
    expect(await announced(writer)).toEqual([before])
  })
})

test('a public library is announced by its id where it is whole; home by those who follow it, and private never', async () => {
  await make('open')
  await writer.publishIn('private', numbered(1))
  await writer.publish(numbered(2))
  expect(await announced(writer)).toEqual([keyText(libraryKey(writer.idOf('open')))])
  await get(member, 'open')
  await follow(member, writer)
  const ids = [writer.idOf('open'), writer.library]
  expect((await announced(member)).sort()).toEqual(ids.map(id => keyText(libraryKey(id))).sort())
})

test('is announced when it comes to be here or has a new key, once, and again when that failed', async () => {
  const told: string[][] = []
  let failures = 0
  let isFailing = true
  const clock = new ManualClock()
  const announcing = new LibraryAnnouncing({
    keys: keysOf(writer),
    network: {
      announce: async ({ names, ids, libraries = [] }) => {
        if (isFailing) throw new CatalogError('BUSY', `not now: ${++failures}`)
        expect([...names, ...ids]).toEqual([])
        told.push(libraries.map(keyText))
        return 0
      }
    },
    clock,
    logger: silentLogger
  })
  await make('team', [member])
  const first = await secretKey()
  announcing.start()
  try {
    await eventually(() => failures > 0)
    isFailing = false
    await eventually(async () => {
      await clock.advance(60_000)
      return told.length > 0
    })
    await make('other')
    announcing.changed()
    await eventually(() => told.length === 2)
    await writer.sets.access.changeMembers('team', { joining: [], leaving: [member.key.publicKey] })
    announcing.changed()
    await eventually(() => told.length === 3)
    await clock.advance(120_000)
    expect(told).toEqual([[first], [keyText(libraryKey(writer.idOf('other')))], [await secretKey()]])
  } finally {
    await announcing.stop()
  }
})
