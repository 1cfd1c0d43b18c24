/** Libraries and their audiences as an operator makes and changes them: by name and peer id, on real databases. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { ACCESS_LIFETIME_MS, createReleaseRecord } from '../../../library/index.ts'
import { Libraries } from '../../../node/services/libraries.ts'
import type { AudienceChange } from '../../../node/services/types.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'

const { signal } = new AbortController()
const bob = peerOf(keyOf('bob').publicKey)
const eve = peerOf(keyOf('eve').publicKey)

let home: SyncHome
let member: SyncHome
let libraries: Libraries
let own: string
let changes: number
/** Libraries that were to be announced. */
let made: number
beforeEach(async () => {
  home = await SyncHome.open('writer')
  member = await SyncHome.open('member')
  own = peerOf(home.key.publicKey)
  changes = 0
  made = 0
  libraries = serviceOf(home)
})
afterEach(() => Promise.all([home.close(), member.close()]))

const serviceOf = ({ sets, registry, key }: SyncHome): Libraries =>
  new Libraries(
    {
      ...{ sets, registry, logger: silentLogger },
      announcing: { changed: () => void made++ },
      collecting: { changed: () => undefined },
      onAudienceChanged: async () => void changes++
    },
    { writer: key.publicKey }
  )

const change = (name: string, change: AudienceChange) => libraries.changeMembers(name, change, signal)
const make = (members: string[] = []) =>
  libraries.create({ name: 'team', access: 'restricted', members }, signal)

describe('libraries of a node', () => {
  test('are home and private, and what was made', async () => {
    const team = await make([bob, eve])
    expect(made, 'announced').toBe(1)
    await home.publishIn('team', numbered(1))
    const { own: listed, followed } = await libraries.list(signal)
    expect(followed).toEqual([])
    expect(listed.map(({ name, address, access }) => [name, address, access])).toEqual([
      ['home', own, 'public'],
      ['private', `${own}/private`, 'private'],
      ['team', `${own}/team`, 'restricted']
    ])
    expect(team).toMatchObject({ releases: 0, records: 1, members: expect.arrayContaining([bob, eve]) })
    expect(listed[2]).toMatchObject({ releases: 1, records: 2, head: { revision: 2 }, isExpired: false })
    expect(listed[0]).toMatchObject({ head: null, listExpires: null })
    expect(listed[0]).not.toHaveProperty('members')
  })

  test('are deleted, and who may have known of one loses what is open', async () => {
    await make([peerOf(member.key.publicKey)])
    await home.publishIn('team', numbered(1))
    expect(await libraries.delete('team', signal)).toEqual({
      name: 'team',
      address: `${own}/team`,
      releases: 1
    })
    expect([changes, made]).toEqual([2, 2])
    await expect(libraries.delete('team', signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(libraries.show('team')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(libraries.delete('home', signal)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect([changes, made]).toEqual([2, 2])
    // Its versions stay taken: who may have known of it has the first content.
    await make([peerOf(member.key.publicKey)])
    const other = createReleaseRecord(
      small({ name: 'package-1', content: contentOf('another'), sequence: NOW_MS }),
      keyOf('ada')
    )
    await expect(home.publishIn('team', other)).rejects.toMatchObject({ code: 'RELEASE_EXISTS' })
    await home.publishIn('team', numbered(1))
  })

  test.each([
    ['no group', { access: 'friends' }],
    ['a group of no friends', { access: 'restricted', group: 'pals' }],
    ['members of all', { access: 'public', members: [bob] }],
    ['members of a group', { access: 'friends', group: 'pals', members: [bob] }],
    ['what is no group', { access: 'friends', group: '../x' }],
    ['what is no name', { access: 'public', name: 'A B' }],
    ['what is no peer', { access: 'restricted', members: ['bob'] }]
  ] as const)('are not made with %s', async (_what, request) => {
    await expect(libraries.create({ name: 'team', ...request }, signal)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      hint: expect.stringMatching(/./)
    })
    expect((await libraries.list(signal)).own).toHaveLength(2)
  })

  test('are for those who are named last', async () => {
    await make()
    expect(await change('team', { joining: [bob, eve] })).toMatchObject({
      members: expect.arrayContaining([bob, eve])
    })
    expect(await change('team', { leaving: [eve] })).toMatchObject({ members: [bob] })
    expect(changes, 'streams that are open may have to end, and members be told').toBe(3)
  })

  test('say what is wrong with a change, and change nothing then', async () => {
    await make([bob])
    await libraries.create({ name: 'all', access: 'public' }, signal)
    await libraries.create({ name: 'club', access: 'friends', group: 'pals' }, signal)
    const before = await libraries.list(signal)
    changes = 0
    await expect(change('nothing', { joining: [bob] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(change('team', { leaving: [bob, eve] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(eve)
    })
    for (const [name, what] of [
      ['team', { joining: [own] }],
      ['team', { joining: ['bob'] }],
      ['team', {}],
      ['home', { joining: [bob] }],
      ['private', { joining: [bob] }],
      ['all', { joining: [bob] }],
      ['club', { leaving: [bob] }]
    ] as const)
      await expect(change(name, what), name).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await libraries.list(signal)).toEqual(before)
    expect(changes).toBe(0)
  })

  test('have so many members and no more', async () => {
    const crowd = Array.from({ length: 513 }, (_, at) => peerOf(keyOf(`peer ${at}`).publicKey))
    await make()
    await expect(change('team', { joining: crowd })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect((await change('team', { joining: crowd.slice(1) })).members).toHaveLength(512)
  })

  test('of others that are followed say whether this node may still have them', async () => {
    await make([peerOf(member.key.publicKey)])
    await follow(member, home, { name: 'team' })
    const theirs = serviceOf(member)
    const [before] = (await theirs.list(signal)).followed
    expect(before).toMatchObject({ access: 'closed', isAdmitted: true, records: 1 })
    expect(Date.parse(before!.listExpires!)).toBe(home.nowMs + ACCESS_LIFETIME_MS)
    member.nowMs += ACCESS_LIFETIME_MS
    expect((await theirs.list(signal)).followed).toMatchObject([{ isAdmitted: false }])
  })
})

describe('groups of a node', () => {
  test('change whom libraries are for', async () => {
    await libraries.create({ name: 'club', access: 'friends', group: 'pals' }, signal)
    expect(await libraries.groups(signal)).toEqual([{ name: 'pals', members: [], libraries: ['club'] }])
    const added = await libraries.changeGroup('pals', { joining: [bob] }, signal)
    expect(added).toEqual({ name: 'pals', members: [bob], libraries: ['club'] })
    expect((await libraries.list(signal)).own[2]).toMatchObject({ group: 'pals', members: [bob] })
    await libraries.changeGroup('others', { joining: [eve] }, signal)
    expect((await libraries.groups(signal)).map(({ name }) => name)).toEqual(['others', 'pals'])
    const left = await libraries.changeGroup('pals', { leaving: [bob] }, signal)
    expect(left.members).toEqual([])
    expect(changes).toBe(4)
  })

  test('say what is wrong with a change', async () => {
    for (const [name, what, code] of [
      ['pals', { leaving: [bob] }, 'NOT_FOUND'],
      ['pals', { joining: [own] }, 'INVALID_ARGUMENT'],
      ['../pals', { joining: [bob] }, 'INVALID_ARGUMENT'],
      ['pals', {}, 'INVALID_ARGUMENT']
    ] as const)
      await expect(libraries.changeGroup(name, what, signal)).rejects.toMatchObject({ code })
    expect(changes).toBe(0)
  })
})
