/** Libraries that are not for everybody: who gets a copy, and what others see of it, now and when somebody was shut out. */
import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../../../base/index.ts'
import {
  ACCESS_LIFETIME_MS,
  type AccessList,
  HOME_LIBRARY,
  KeyFamily,
  makeKey
} from '../../../library/index.ts'
import { encodeSyncMessage } from '../../../protocols/index.ts'
import { decodeHead, signHead } from '../../../sync/index.ts'
import { sha256 } from '../../../trust/index.ts'
import { follow, numbered, range, SyncHome } from './homes.ts'
import {
  grant,
  keys,
  make,
  member,
  NOT_HERE,
  openForEachTest,
  outsider,
  revoke,
  rowsOf,
  shown,
  team,
  writer
} from './team.ts'

openForEachTest()

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

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

  test('is among what a node may know of when it is on the list, here and where it is followed, whatever else cannot be read', async () => {
    await make('restricted', [member])
    await make('public', [], 'tools')
    await writer.publishIn('team', numbered(1))
    await team(member)
    await follow(member, writer, { name: 'tools' })
    const knownAt = async (home: SyncHome, node: SyncHome): Promise<string[]> => {
      const known = (await home.sets.access.knownTo(node.key.publicKey)).map(hexOf)
      const names = [writer, member].flatMap(of =>
        ['home', 'team', 'tools', 'private'].map(name => [of, name] as const)
      )
      return names.flatMap(([of, name]) => (known.includes(hexOf(of.idOf(name))) ? [name] : []))
    }
    expect(await knownAt(writer, outsider)).toEqual(['home', 'tools'])
    expect(await knownAt(writer, member)).toEqual(['home', 'team', 'tools'])
    expect(await knownAt(member, outsider)).toEqual(['tools', 'home'])
    expect(await knownAt(member, writer)).toEqual(['team', 'tools', 'home'])
    const unreadable = sha256(Buffer.from('unreadable'))
    for (const home of [writer, member])
      for (const family of [KeyFamily.Followed, KeyFamily.OwnLibrary])
        await home.write([{ type: 'put', key: makeKey(family, unreadable), value: Buffer.of(0xff) }])
    expect(await knownAt(writer, member)).toEqual(['home', 'team', 'tools'])
    expect(await knownAt(member, writer)).toEqual(['team', 'tools', 'home'])
    writer.nowMs += ACCESS_LIFETIME_MS
    expect(await knownAt(writer, member), 'its list has run out').toEqual(['home', 'tools'])
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

  test('does not let in again who was shut out where its copy was let go of since, and another member has not heard of it', async () => {
    const third = await SyncHome.open('third')
    try {
      await make('restricted', [member, third, outsider])
      await team(third)
      await revoke(outsider)
      await team(member)
      await member.sets.forget(writer.idOf('team'))
      expect(await team(member, third)).toMatchObject({ state: 'behind' })
      expect(await member.sets.access.admits(writer.idOf('team'), outsider.key.publicKey)).toBe(false)
    } finally {
      await third.close()
    }
  })

  test('does not let in again who was shut out by a newer head of an earlier list, where its copy was let go of', async () => {
    await make('restricted', [member])
    for (const home of [writer, member]) home.nowMs += HOUR_MS
    await grant(outsider)
    await revoke(outsider)
    await team(member)
    await member.sets.forget(writer.idOf('team'))
    // As a restored home would sign one.
    for (const home of [writer, member]) home.nowMs -= HOUR_MS
    await grant(outsider)
    await expect(team(member)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await member.followed()).toEqual([])
    for (const home of [writer, member]) home.nowMs += 2 * HOUR_MS
    await revoke(outsider)
    expect(await team(member)).toMatchObject({ state: 'updated' })
    expect(await member.sets.access.admits(writer.idOf('team'), outsider.key.publicKey)).toBe(false)
  })

  test('is shown to nobody by the list of a home that was restored, until that is signed anew', async () => {
    await make('restricted', [member, outsider])
    const { libraryId, id } = await writer.sets.access.ownNamed('team')
    await writer.publishIn('team', numbered(1))
    const shown = decodeHead((await writer.sets.headOf(id))!)
    const { epoch, revision, hash: previous } = shown
    const lost = signHead({ ...shown, epoch: epoch + 5, revision: revision + 1, previous }, writer.key)
    expect(await writer.sets.take(lost.bytes)).toBe('forgotten')
    await writer.publishIn('team', numbered(2))
    const admitted = (): Promise<boolean[]> =>
      Promise.all([writer, member, outsider].map(({ key }) => writer.sets.access.admits(id, key.publicKey)))
    expect(await writer.sets.access.isEarlier(libraryId)).toBe(true)
    expect(await admitted()).toEqual([true, false, false])
    await expect(team(outsider)).rejects.toMatchObject(NOT_HERE)
    await revoke(outsider)
    expect(await writer.sets.access.isEarlier(libraryId)).toBe(false)
    expect(await admitted()).toEqual([true, true, false])
    expect(await team(member)).toMatchObject({ state: 'updated', received: 3 })
  })

  test('is renewed after a restore only when its operator has looked at who is on the list', async () => {
    await make('restricted', [member])
    const library = await writer.sets.access.ownNamed('team')
    const list = (): Promise<AccessList | undefined> => writer.sets.access.accessOf(library.libraryId)
    const before = await list()
    const shown = decodeHead((await writer.sets.headOf(library.id))!)
    const { epoch, revision, hash: previous } = shown
    const lost = signHead({ ...shown, epoch: epoch + 5, revision: revision + 1, previous }, writer.key)
    // What it does not remember, from a life after the one that the backup is of.
    expect(await writer.sets.take(lost.bytes)).toBe('forgotten')
    writer.nowMs += 2 * DAY_MS
    await expect(writer.sets.access.renewAccess(library)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await list()).toEqual(before)
    await grant(member)
    expect((await list())?.secret).not.toEqual(before?.secret)
    writer.nowMs += 2 * DAY_MS
    expect(await writer.sets.access.renewAccess(library)).toBe(true)
  })

  test('names no more nodes than a record has room for, from the first moment on', async () => {
    const many = Array.from({ length: 513 }, (_, number) => sha256(Buffer.from(`member ${number}`)))
    const tooMany = { code: 'LIMIT_EXCEEDED' }
    const made = writer.sets.access.create({ name: 'team', access: 'restricted', members: many })
    await expect(made).rejects.toMatchObject(tooMany)
    await make('restricted')
    const change = { joining: many, leaving: [] }
    await expect(writer.sets.access.changeMembers('team', change)).rejects.toMatchObject(tooMany)
    await expect(writer.sets.access.changeGroup('friends', change)).rejects.toMatchObject(tooMany)
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
