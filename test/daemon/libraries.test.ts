/** Libraries that are not for everybody, between three real daemons: who gets what, and who can tell that it is there. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let ada: TestDaemon
let bob: TestDaemon
let eve: TestDaemon
beforeAll(async () => {
  net = await TestNet.create()
  ada = await net.start('ada')
  bob = await net.start('bob', { join: ada })
  eve = await net.start('eve', { join: ada })
})
afterAll(() => net.destroy())

const follow = (daemon: TestDaemon, library: string) =>
  daemon.operation('/v1/sync', { peer: ada.address, library })

test('a restricted library is for those whom it is granted to, until it is revoked', async () => {
  const made = await ada.ok('POST', '/v1/libraries', { name: 'team', access: 'restricted' })
  expect(made).toMatchObject({ address: `${ada.peerId}/team`, members: [], records: 1 })
  expect(await follow(bob, 'team')).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const granted = await ada.ok('PUT', '/v1/libraries/team/members', { joining: [bob.peerId] })
  expect(granted.members).toEqual([bob.peerId])
  expect(await follow(bob, 'team')).toMatchObject({ state: 'done', result: { records: 1 } })
  expect(await follow(eve, 'team')).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const { followed } = await bob.ok('GET', '/v1/libraries')
  expect(followed).toMatchObject([{ address: made.address, access: 'closed', isAdmitted: true }])
  await ada.ok('PUT', '/v1/libraries/team/members', { leaving: [bob.peerId] })
  expect(await follow(bob, 'team')).toMatchObject({ error: { code: 'NOT_FOUND' } })
})

test('a library of friends changes with their group', async () => {
  await ada.ok('POST', '/v1/libraries', { name: 'club', access: 'friends', group: 'pals' })
  await ada.ok('PUT', '/v1/groups/pals/members', { joining: [eve.peerId] })
  expect(await follow(eve, 'club')).toMatchObject({ state: 'done' })
  const group = await ada.ok('PUT', '/v1/groups/pals/members', { leaving: [eve.peerId] })
  expect(group).toEqual({ name: 'pals', members: [], libraries: ['club'] })
  expect(await follow(eve, 'club')).toMatchObject({ error: { code: 'NOT_FOUND' } })
})
