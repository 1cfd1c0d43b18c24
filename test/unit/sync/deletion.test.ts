/** Libraries of a node that are deleted: what goes, what stays, and what others see. On real databases. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pinKey } from '../../../library/content/held.ts'
import { KeyFamily, librariesOf, makeKey, type ReleaseRecord, recordHash } from '../../../library/index.ts'
import { readHead } from '../../../sync/index.ts'
import { follow, numbered, range, SyncHome } from './homes.ts'

let home: SyncHome
let member: SyncHome
beforeEach(async () => {
  home = await SyncHome.open('writer')
  member = await SyncHome.open('member')
})
afterEach(() => Promise.all([home.close(), member.close()]))

const make = (name: string, access: 'public' | 'restricted' = 'restricted'): Promise<undefined> =>
  home.sets.access.create({ name, access, members: access === 'public' ? [] : [member.key.publicKey] })
const remove = (name: string): Promise<undefined> => home.sets.access.delete(name)
const get = (name: string) => follow(member, home, { of: home, name })
const librariesWith = ({ bytes }: ReleaseRecord): Promise<string[]> =>
  librariesOf(home.reader, recordHash(bytes))

async function count(...families: string[]): Promise<number> {
  let rows = 0
  for (const family of families)
    for await (const _ of home.reader.iterate({ prefix: makeKey(family) })) rows++
  return rows
}
const LIBRARY_ROWS = [
  KeyFamily.OwnLibrary,
  KeyFamily.DeletedLibrary,
  KeyFamily.LibraryState,
  KeyFamily.Tree,
  KeyFamily.TreeNode,
  KeyFamily.ChangeLog,
  KeyFamily.HeadPlace,
  KeyFamily.Membership
]
const RECORD_ROWS = [KeyFamily.Record, KeyFamily.RecordId, KeyFamily.NameIndex]
const announced = async (): Promise<string[]> => {
  const names: string[] = []
  const prefix = makeKey(KeyFamily.Announcement)
  for await (const [key] of home.reader.iterate({ prefix }))
    names.push(Buffer.from(key.subarray(prefix.byteLength)).toString())
  return names
}

const headOf = () => readHead(home.reader, home.idOf('team'), home.key.publicKey)!
const notHere = { code: 'NOT_FOUND' }

describe('a closed library that is deleted', () => {
  test('leaves nothing but its last head, and is not there for those who may have known of it', async () => {
    await make('team')
    await home.publishIn('team', numbered(1), numbered(2))
    await get('team')
    const { bytes } = headOf()
    await remove('team')
    expect(await count(...LIBRARY_ROWS, ...RECORD_ROWS)).toBe(0)
    expect(headOf().bytes).toEqual(bytes)
    await expect(get('team')).rejects.toMatchObject(notHere)
    expect(await home.sets.headOf(home.idOf('team'))).toBeUndefined()
    expect((await home.sets.access.own()).map(({ name }) => name)).toEqual(['home', 'private'])
    await expect(remove('team')).rejects.toMatchObject(notHere)
    expect(await member.followed(), 'what others have stays with them').toHaveLength(1)
  })

  test('leaves what another library has', async () => {
    await make('team')
    await make('other')
    await home.publishIn('team', numbered(1), numbered(2))
    await home.publishIn('other', numbered(1))
    await home.publishIn('private', numbered(2))
    await remove('team')
    expect(await librariesWith(numbered(1))).toEqual(['closed/other'])
    expect(await librariesWith(numbered(2))).toEqual(['private'])
    for (const number of [1, 2]) expect(home.registry.get(numbered(number).id)).toBeDefined()
    expect(await home.sets.access.admitsTo(numbered(1), member.key.publicKey)).toBe(true)
    expect(await home.sets.access.admitsTo(numbered(2), member.key.publicKey)).toBe(false)
  })

  test('is not deleted while a release is pinned that nothing else has', async () => {
    await make('team')
    const [kept, free] = [numbered(1), numbered(2)]
    await home.publishIn('team', kept, free)
    const key = pinKey(kept.release.content.bytes, kept.release)
    await home.write([{ type: 'put', key, value: new Uint8Array() }])
    await expect(remove('team')).rejects.toMatchObject({
      code: 'RELEASE_PINNED',
      message: 'package-1@1.0.0 is pinned, and only the library team has it'
    })
    expect(await get('team')).toMatchObject({ records: 3 })
    await home.publishIn('private', kept)
    await remove('team')
    expect(home.registry.get(kept.id)).toBeDefined()
    expect(home.registry.get(free.id)).toBeUndefined()
  })
})

test('of a public library that is deleted releases stay known, and are announced as far as another one has them', async () => {
  await make('shop', 'public')
  await home.publishIn('shop', numbered(1), numbered(2))
  await home.publish(numbered(2))
  expect(await announced()).toEqual(['package-1', 'package-2'])
  await remove('shop')
  expect(await announced()).toEqual(['package-2'])
  expect(await librariesWith(numbered(1))).toEqual([])
  expect(home.registry.get(numbered(1).id)).toBeDefined()
  expect(await librariesWith(numbered(2))).toEqual(['home'])
  await expect(get('shop')).rejects.toMatchObject(notHere)
})

describe('a name that is given again', () => {
  test('has heads of a later epoch, so that nobody who knew the library sees them go back', async () => {
    await make('team')
    await home.publishIn('team', numbered(1), numbered(2))
    await get('team')
    const before = headOf()
    await remove('team')
    await make('team')
    await home.publishIn('team', numbered(3))
    const { epoch, revision } = headOf()
    expect(epoch).toBeGreaterThan(before.epoch)
    expect(revision).toBeGreaterThan(before.revision)
    expect(await get('team')).toMatchObject({ state: 'updated', records: 2 })
    expect(member.registry.get(numbered(1).id)).toBeUndefined()
    expect(member.registry.get(numbered(3).id)).toBeDefined()
    expect(await member.sets.evidence()).toEqual([])
  })

  test('is for everybody or not, as the library before it', async () => {
    await make('team')
    await remove('team')
    await expect(make('team', 'public')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect((await home.sets.access.own()).map(({ name }) => name)).toEqual(['home', 'private'])
  })
})

test('home and private are always there, and what is not here cannot be deleted', async () => {
  for (const name of ['home', 'private'])
    await expect(remove(name)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(remove('nothing')).rejects.toMatchObject(notHere)
})

test('a stop before anything was written leaves the library whole, and one after it leaves it to nobody', async () => {
  for (const batches of [0, 1, 2, 3]) {
    await make('team')
    await home.publishIn('team', numbered(1))
    home.batchesLeft = batches
    await expect(remove('team')).rejects.toMatchObject({ code: 'DISK_IO' })
    if (batches === 0) expect(await get('team')).toMatchObject({ records: 2 })
    else {
      await expect(get('team')).rejects.toMatchObject(notHere)
      expect(await home.sets.access.admitsTo(numbered(1), member.key.publicKey)).toBe(batches > 1)
    }
    if (batches === 0) await remove('team')
    else await home.sets.finishCopies()
    expect(await count(...LIBRARY_ROWS, ...RECORD_ROWS)).toBe(0)
  }
})

test('what a stop has left goes before the name is given again', async () => {
  await make('team')
  await home.publishIn('team', numbered(1))
  home.batchesLeft = 1
  await expect(remove('team')).rejects.toMatchObject({ code: 'DISK_IO' })
  await make('team')
  expect(home.registry.get(numbered(1).id)).toBeUndefined()
  expect(await get('team')).toMatchObject({ records: 1 })
  await home.sets.finishCopies()
  expect(await get('team')).toMatchObject({ records: 1 })
})

test('a library of more records than go at once goes whole, though one of them changes meanwhile', async () => {
  await home.close()
  home = await SyncHome.open('writer', { limits: { batchChanges: 40 } })
  await make('team')
  await make('other')
  await home.publishIn('team', ...range(0, 200))
  await home.publishIn('other', ...range(0, 3))
  const newer = [0, 1, 2].map(number => numbered(number, numbered(number).release.sequence + 1))
  const revised = newer.map(({ bytes }) => home.registry.revise(bytes))
  await Promise.all([remove('team'), ...revised])
  for (const record of newer) expect(await librariesWith(record)).toEqual(['closed/other'])
  expect(await count(KeyFamily.NameIndex)).toBe(3)
  expect(await count(KeyFamily.Tree), 'of the other').toBe(1)
  expect(await home.sets.check('closed/other')).toMatchObject({ ok: true })
})
