/** Libraries that are not for everybody, between three real daemons: who gets what, and who can tell that it is there. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cliOk, expectRefusal } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

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
  const union = () => bob.operation('/v1/sync', { peer: ada.address, library: 'team', mode: 'union' })
  expect(await union()).toMatchObject({ error: { code: 'NOT_PERMITTED' } })
  await bob.ok('POST', '/v1/follows', { library: made.address, mode: 'union' })
  const standing = async () => (await bob.ok('GET', '/v1/sync')).follows[0]
  await eventually(async () => (await standing()).error === 'NOT_PERMITTED')
  const waitMs = Date.parse((await standing()).nextAt) - Date.now()
  expect(waitMs, 'an interval, not a pause after a failure').toBeGreaterThan(60_000)
  await bob.ok('DELETE', `/v1/follows/${encodeURIComponent(made.address)}`)
  expect((await bob.ok('GET', '/v1/libraries')).followed, 'nothing of it has come').toEqual([])
  expect(await follow(bob, 'team')).toMatchObject({ state: 'done', result: { records: 1 } })
  expect(await union()).toMatchObject({ error: { code: 'NOT_PERMITTED' } })
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

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
const at = async (daemon: TestDaemon, ...args: string[]): Promise<any> =>
  await cliOk(args, { home: daemon.home.root })

/** A folder that can be published under a name. */
async function folderOf(name: string): Promise<string> {
  const folder = join(net.folder, `folder-${name}`)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
  return folder
}

test('what is published into a closed library is for those on its list, and announced to nobody', async () => {
  await at(ada, 'library', 'create', 'work', '--access', 'restricted', '--member', bob.peerId)
  const published = await at(ada, 'publish', await folderOf('secret'), '--library', 'work')
  expect(published).toMatchObject({ library: 'work', access: 'restricted', announcedTo: 0 })
  const info = await at(ada, 'info', 'secret', '--local')
  expect(info).toMatchObject({ access: 'restricted', libraries: [`${ada.peerId}/work`] })
  await at(bob, 'sync', ada.address, '--library', 'work')
  expect(await at(bob, 'info', 'secret', '--local')).toMatchObject({
    id: published.id,
    access: 'closed',
    libraries: [`${ada.peerId}/work`]
  })
  // As of what is nowhere.
  const outside = { home: eve.home.root }
  await expectRefusal(['info', 'secret'], { code: 'NO_PROVIDERS', names: ['secret'] }, outside)
  await expectRefusal(['info', published.id], { code: 'RELEASE_NOT_FOUND', names: [] }, outside)

  await at(ada, 'yank', 'secret@1.0.0', '--reason', 'old')
  await at(ada, 'describe', 'secret@1.0.0', '--description', 'of ours')
  await at(bob, 'sync', ada.address, '--library', 'work')
  const { packages } = await at(bob, 'list')
  expect(packages.find(({ name }: { name: string }) => name === 'secret')).toMatchObject({
    status: 'yanked',
    access: 'closed'
  })
  await at(ada, 'remove', 'secret@1.0.0')
  await at(bob, 'sync', ada.address, '--library', 'work')
  expect((await bob.api('GET', '/v1/releases?spec=secret')).status).toBe(404)
  await expectRefusal(['info', 'secret'], { code: 'NO_PROVIDERS', names: ['announced by anybody'] }, outside)
})

test('who publishes into a library is told what cannot be before anything is sent', async () => {
  const folder = await folderOf('late')
  const home = ada.home.root
  await expectRefusal(
    ['publish', folder, '--library', 'nothing'],
    { code: 'NOT_FOUND', names: ['nothing'] },
    { home }
  )
  await expectRefusal(
    ['publish', folder, '--library', 'private', '--wait', '1'],
    { code: 'INVALID_ARGUMENT', names: ['private'] },
    { home }
  )
  const own = await at(ada, 'publish', folder, '--library', 'private')
  expect(own).toMatchObject({ access: 'private' })
  expect(await follow(bob, 'private')).toMatchObject({ error: { code: 'NOT_FOUND' } })
  await expectRefusal(['publish', folder], { code: 'NOT_PERMITTED', names: ['private'] }, { home })
  const open = await at(ada, 'publish', folder, '--library', 'home')
  expect(open, 'the same release, for everybody now').toMatchObject({ access: 'public' })
  expect((await at(ada, 'info', 'late', '--local')).libraries).toEqual([ada.peerId, `${ada.peerId}/private`])
})

test('a library that is deleted is there for nobody, until its name is given again', async () => {
  const home = ada.home.root
  await at(ada, 'library', 'create', 'gone', '--access', 'restricted', '--member', bob.peerId)
  const { id } = await at(ada, 'publish', await folderOf('going'), '--library', 'gone')
  expect(await follow(bob, 'gone')).toMatchObject({ state: 'done' })
  await expectRefusal(
    ['library', 'delete', 'gone'],
    { code: 'INVALID_ARGUMENT', names: ['1 release'], hint: '--yes' },
    { home }
  )
  expect(await at(ada, 'library', 'delete', 'gone', '--yes')).toMatchObject({ name: 'gone', releases: 1 })
  expect(await follow(bob, 'gone')).toMatchObject({ error: { code: 'NOT_FOUND' } })
  expect((await ada.api('GET', `/v1/releases?spec=${id}`)).status).toBe(404)
  await at(ada, 'library', 'create', 'gone', '--access', 'restricted', '--member', bob.peerId)
  expect(await follow(bob, 'gone')).toMatchObject({ state: 'done', result: { state: 'updated', records: 1 } })
})
