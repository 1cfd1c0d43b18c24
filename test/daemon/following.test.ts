/** Daemons that follow libraries by themselves. */
import { cp, rename, rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cliOk, expectRefusal, type Refusal } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let ada: TestDaemon
let bob: TestDaemon
/** Who follows what bob has. */
const others: TestDaemon[] = []

/** What comes comes because it was told, not because its time had come. */
const NEVER = '7d'

beforeAll(async () => {
  net = await TestNet.create()
  ada = await net.start('ada')
  bob = await startBob()
})
afterAll(() => net.destroy())

const startBob = (): Promise<TestDaemon> =>
  net.start('bob', {
    join: ada,
    set: { 'sync.follow': `${ada.peerId} all`, 'sync.interval': NEVER }
  })

const small = (name: string) => ({ name, version: '1.0.0', files: { 'readme.md': name } })

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
const packagesOf = async (daemon: TestDaemon): Promise<any[]> =>
  (await daemon.ok('GET', '/v1/packages')).packages

/** How much of a release's content is there; undefined while the release is not known. */
const stateOf = async (daemon: TestDaemon, name: string): Promise<string | undefined> =>
  (await packagesOf(daemon)).find(item => item.name === name)?.local

test('a release of a followed library comes by itself, and its content with it', async () => {
  const { follows } = await bob.ok('GET', '/v1/sync')
  expect(follows).toMatchObject([{ writer: ada.peerId, content: 'all' }])
  for (const name of ['one', 'two']) {
    await ada.publish(small(name))
    await eventually(async () => (await stateOf(bob, name)) === 'complete')
  }
})

test('what two followers tell each other reaches who is not connected to the writer', async () => {
  const eve = await net.start('eve', {
    join: bob,
    set: { 'sync.follow': ada.peerId, 'sync.interval': NEVER }
  })
  others.push(eve)
  await eventually(async () => (await packagesOf(eve)).length === 2)
  const { libraries } = await eve.ok('GET', '/v1/sync')
  expect(libraries).toMatchObject([{ writer: ada.peerId, records: 2 }])
  expect(
    (await packagesOf(eve)).map(({ local }) => local),
    'without content'
  ).toEqual(['none', 'none'])
})

test('a library that joins home by itself is handed on to those who follow that', async () => {
  const joiner = await net.start('joiner', {
    join: bob,
    set: { 'sync.follow': `${ada.peerId} none union`, 'sync.interval': NEVER }
  })
  await joiner.ok('POST', '/v1/peers', { address: ada.address })
  const last = await net.start('last', {
    join: joiner,
    set: { 'sync.follow': joiner.peerId, 'sync.interval': NEVER }
  })
  others.push(joiner, last)
  await eventually(async () => (await packagesOf(last)).length === 2)
  await ada.publish(small('later'))
  await eventually(async () => (await stateOf(last, 'later')) !== undefined)
  expect((await joiner.ok('GET', '/v1/sync')).follows).toMatchObject([{ mode: 'union' }])
  expect((await last.ok('GET', '/v1/sync')).libraries).toMatchObject([{ writer: joiner.peerId, records: 3 }])
})

test('what is followed changes while a daemon runs, and is what a restart follows', async () => {
  await ada.ok('POST', '/v1/libraries', { name: 'team', access: 'restricted' })
  const start = () => net.start('late', { join: ada, set: { 'sync.interval': NEVER } })
  let late = await start()
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
  const at = async (...args: string[]): Promise<any> =>
    await cliOk(['library', ...args], { home: late.home.root })
  const team = `${ada.peerId}/team`
  await ada.ok('PUT', '/v1/libraries/team/members', { joining: [late.peerId] })
  await ada.publish({ ...small('ours'), library: 'team' })
  await at('follow', ada.peerId)
  expect(await at('follow', team, '--content', 'all')).toMatchObject({ address: team, content: 'all' })
  await eventually(async () => (await stateOf(late, 'ours')) === 'complete')
  await eventually(async () => (await stateOf(late, 'one')) !== undefined)
  const home = late.home.root
  const again: Refusal = { code: 'ALREADY_FOLLOWED', names: [team] }
  await expectRefusal(['library', 'follow', team], again, { home })

  expect(await at('unfollow', team)).toMatchObject({ address: team, hadCopy: true })
  expect(await stateOf(late, 'ours'), 'nothing else here has it').toBeUndefined()
  const { follows, libraries } = await late.ok('GET', '/v1/sync')
  expect(follows).toMatchObject([{ address: ada.peerId }])
  expect(libraries).toMatchObject([{ address: ada.peerId }])
  await expectRefusal(['library', 'unfollow', team], { code: 'NOT_FOUND', names: [team] }, { home })
  // Told because it is still watched, and it comes after whatever the other library would have had.
  await ada.publish({ ...small('ours-too'), library: 'team' })
  await ada.publish(small('told'))
  await eventually(async () => (await stateOf(late, 'told')) !== undefined)
  expect(await stateOf(late, 'ours-too')).toBeUndefined()

  await late.stop()
  late = await start()
  expect((await late.ok('GET', '/v1/sync')).follows).toMatchObject([{ address: ada.peerId, content: 'none' }])
  await ada.publish(small('after'))
  await eventually(async () => (await stateOf(late, 'after')) !== undefined)
  await late.stop()
})

test('content and what joins are of the releases that a filter means, and follow it when it changes', async () => {
  const chooser = await net.start('chooser', { join: ada, set: { 'sync.interval': NEVER } })
  const home = chooser.home.root
  const follow = (...args: string[]) => cliOk(['library', 'follow', ada.peerId, ...args], { home })
  const states = async (): Promise<Array<string | undefined>> =>
    await Promise.all(['one', 'two'].map(name => stateOf(chooser, name)))
  const joined = async (): Promise<number> =>
    (await chooser.ok('GET', '/v1/libraries')).own.find(({ name }: { name: string }) => name === 'home')
      .releases

  expect(await follow('--content', 'all', '--prefix', 'one')).toMatchObject({ content: 'all', prefix: 'one' })
  await eventually(async () => (await stateOf(chooser, 'one')) === 'complete')
  expect(await states(), 'the copy is whole all the same').toEqual(['complete', 'none'])
  await follow('--mode', 'union')
  await eventually(async () => (await joined()) === 1)
  await follow('--prefix', 'two')
  await eventually(async () => (await joined()) === 2 && (await stateOf(chooser, 'two')) === 'complete')
  expect(await states(), 'what came stays').toEqual(['complete', 'complete'])
  expect(await stateOf(chooser, 'later'), 'is meant by neither').toBe('none')

  await ada.publish(small('two-too'))
  await eventually(async () => (await stateOf(chooser, 'two-too')) === 'complete' && (await joined()) === 3)
  const refusal: Refusal = { code: 'INVALID_ARGUMENT', names: ['neither does'], hint: /--everything/ }
  await expectRefusal(['library', 'follow', ada.peerId, '--content', 'none', '--mode', 'mirror'], refusal, {
    home
  })
  await cliOk(['config', 'set', 'sync.follow', `${chooser.peerId},${ada.peerId} all tag:none`], { home })
  const { follows } = await chooser.ok('GET', '/v1/sync')
  expect(follows, 'without what is its own').toMatchObject([
    { address: ada.peerId, mode: 'mirror', tag: 'none' }
  ])
  await follow('--everything')
  await eventually(async () => (await stateOf(chooser, 'later')) === 'complete')
  expect(await joined(), 'a mirror again').toBe(3)
  await chooser.stop()
})

test('a writer that comes back is followed again', async () => {
  await ada.stop()
  ada = await net.start('ada')
  await ada.publish(small('three'))
  await bob.ok('POST', '/v1/peers', { address: ada.address })
  await eventually(async () => (await stateOf(bob, 'three')) === 'complete')
})

test('a writer whose disk was put back as it was begins a new epoch before anybody hears of what it does', async () => {
  const backup = `${ada.home.database}.backup`
  await Promise.all([ada, ...others].map(daemon => daemon.stop()))
  await cp(ada.home.database, backup, { recursive: true })
  ada = await net.start('ada')
  await ada.publish(small('lost'))
  await bob.ok('POST', '/v1/peers', { address: ada.address })
  await eventually(async () => (await stateOf(bob, 'lost')) === 'complete')
  await Promise.all([ada, bob].map(daemon => daemon.stop()))
  await rm(ada.home.database, { recursive: true })
  await rename(backup, ada.home.database)
  ada = await net.start('ada')
  await ada.publish(small('four'))
  bob = await startBob()
  await eventually(async () => (await stateOf(bob, 'four')) === 'complete')
  const { checks } = await bob.ok('GET', '/v1/doctor')
  expect(checks.find(({ name }: { name: string }) => name === 'library').message).not.toContain('two states')
})
