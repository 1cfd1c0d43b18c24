/** A node is backed up while it runs, lost, and restored, and nobody that knew it takes it for a liar. */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pseudoRandom } from '../unit/content/fakes.ts'
import { at, cliOk, expectRefusal, startCli } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let ada: TestDaemon
let bob: TestDaemon

/** What comes comes because it was told, not because its time had come. */
const NEVER = '7d'
const BIG_BYTES = 8_000_000

beforeAll(async () => {
  net = await TestNet.create()
  ada = await net.start('ada')
  bob = await net.start('bob', {
    join: ada,
    set: { 'sync.follow': `${ada.peerId} all`, 'sync.interval': NEVER }
  })
})
afterAll(() => net.destroy())

const file = (name: string): string => join(net.folder, name)
const small = (name: string) => ({ name, version: '1.0.0', files: { 'readme.md': name } })

const isThere = async (daemon: TestDaemon, name: string): Promise<boolean> => {
  const { packages } = await daemon.ok('GET', '/v1/packages')
  return packages.some(
    (item: { name: string; local: string }) => item.name === name && item.local === 'complete'
  )
}

/** What the doctor says of the library of a node. */
async function shownOf(node: TestDaemon): Promise<{ message: string; epoch: number }> {
  const { checks } = await node.ok('GET', '/v1/doctor')
  const { message } = checks.find(({ name }: { name: string }) => name === 'library')
  return { message, epoch: Number(/of epoch (\d+)/.exec(message)?.[1]) }
}

test('the peers of a node that is restored go on with it in a new epoch', async () => {
  await ada.publish(small('kept'))
  await eventually(() => isThere(bob, 'kept'))
  const made = (await at(ada, 'backup', file('backup'))) as Record<string, unknown>
  expect(made).toMatchObject({ peerId: ada.peerId, hasKeys: true, bytes: (await stat(file('backup'))).size })
  expect((await stat(file('backup'))).mode & 0o777).toBe(0o600)
  for (const name of ['lost', 'lost-too']) await ada.publish(small(name))
  await eventually(() => isThere(bob, 'lost-too'))

  await ada.stop()
  // The very folder stays: by that alone the node could not tell that it was put back.
  for (const name of await readdir(ada.home.root)) await rm(join(ada.home.root, name), { recursive: true })
  await cliOk(['restore', file('backup')], { home: ada.home.root })
  const again = await net.start('ada')
  expect(again.peerId).toBe(ada.peerId)
  ada = again
  expect(await isThere(ada, 'kept')).toBe(true)
  // Nobody is connected who could tell it what it has forgotten, and with as many changes it signs the revisions that bob knows.
  for (const name of ['new', 'new-too']) await ada.publish(small(name))
  expect((await shownOf(ada)).epoch).toBeGreaterThan(Date.parse(made.createdAt as string))
  await bob.ok('POST', '/v1/peers', { address: ada.address })
  await eventually(() => isThere(bob, 'new-too'))
  for (const node of [ada, bob]) expect((await shownOf(node)).message).not.toContain('two states')
})

test('a backup that is interrupted leaves no file, and a daemon that is killed during one nothing to clean up', async () => {
  await ada.publish({ name: 'big', version: '1.0.0', files: { big: pseudoRandom('big', BIG_BYTES) } })
  await expectRefusal(
    ['backup', file('backup')],
    { code: 'INVALID_ARGUMENT', names: ['exists already'] },
    {
      home: ada.home.root
    }
  )
  const cut = startCli(['backup', file('cut')], { home: ada.home.root })
  await eventually(() => existsSync(file('cut.part')) || existsSync(file('cut')))
  cut.process.kill('SIGINT')
  await cut.ended
  expect(existsSync(file('cut.part'))).toBe(false)
  if (existsSync(file('cut'))) await cliOk(['restore', file('cut'), '--check'])

  const isHeld = async (): Promise<boolean> =>
    (await readdir(ada.home.segments)).some(name => name.startsWith('held-'))
  await eventually(async () => !(await isHeld()))
  // A client that takes the first bytes and no more.
  const slow = http.get({ socketPath: ada.home.socket, path: '/v1/backup', agent: false })
  slow.on('error', () => undefined)
  slow.on('response', response => response.on('error', () => undefined).pause())
  await eventually(isHeld)
  await ada.kill()
  slow.destroy()
  expect(await isHeld()).toBe(true)
  ada = await net.start('ada')
  expect(await isHeld()).toBe(false)
  expect(await isThere(ada, 'big')).toBe(true)

  // Without a daemon, without keys: what is restored is the content, and who the node is comes from elsewhere.
  await ada.stop()
  await at(ada, 'backup', file('no-keys'), '--without-keys')
  expect((await readFile(file('no-keys'))).includes(await readFile(ada.home.nodeKey))).toBe(false)
  await cliOk(['restore', file('no-keys')], { home: file('restored') })
  await expectRefusal(
    ['restore', file('backup')],
    { code: 'HOME_EXISTS', names: ['is not empty'] },
    {
      home: file('restored')
    }
  )
  await expectRefusal(['daemon'], { code: 'KEY_NOT_FOUND', names: ['node.key'] }, { home: file('restored') })
})
