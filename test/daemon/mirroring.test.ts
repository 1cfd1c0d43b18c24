/** Daemons that hold copies for others: copies come, are replaced when a node is killed, handed over when one leaves; blocks, pins, restarts. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MirrorPlanReply, MirrorStatus } from '../../node/index.ts'
import { at, expectRefusal } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let ada: TestDaemon
const mirrors: TestDaemon[] = []
const NAMES = ['ben', 'cai', 'dan']
const TARGET = 2

const start = (name: string, set: Record<string, string> = {}): Promise<TestDaemon> =>
  net.start(name, {
    join: [ada, ...mirrors],
    set: {
      'mirroring.enabled': 'true',
      'mirror.min': String(TARGET),
      'mirror.target': String(TARGET),
      'mirror.grace': '3s',
      'sync.follow': ada.peerId,
      ...set
    }
  })

beforeAll(async () => {
  net = await TestNet.create()
  ada = await net.start('ada')
  mirrors.push(...(await Promise.all(NAMES.map(name => start(name)))))
})
afterAll(() => net.destroy())

const statusOf = (daemon: TestDaemon): Promise<MirrorStatus> => daemon.ok('GET', '/v1/mirror')

/** Those that hold a release for others. */
async function holdersOf(name: string): Promise<TestDaemon[]> {
  const holding = await Promise.all(
    mirrors.map(async daemon => {
      const { copies } = await statusOf(daemon)
      return copies.some(copy => copy.name === name && copy.state === 'held')
    })
  )
  return mirrors.filter((_, at) => holding[at])
}

const held = (name: string, count = TARGET): Promise<unknown> =>
  eventually(async () => (await holdersOf(name)).length === count)

test('a release that is followed comes to be with as many members as the target says', async () => {
  await ada.publish({ name: 'lib', version: '1.0.0', files: { 'readme.md': 'read me' } })
  await held('lib')
  for (const mirror of mirrors) expect((await statusOf(mirror)).members).toBe(NAMES.length)
})

test('a copy of a node that is killed is replaced after the grace, though the publisher is gone', async () => {
  // Who says goodbye is no sign of a network that is split.
  await ada.stop()
  const [lost] = await holdersOf('lib')
  await lost!.kill()
  mirrors.splice(mirrors.indexOf(lost!), 1)
  await held('lib')
})

test('who comes later gets it of those that hold it', async () => {
  const eve = await net.start('eve', { join: mirrors[0]! })
  const { result } = await eve.operation('/v1/fetches', { spec: 'lib@1.0.0' })
  expect(result).toMatchObject({ name: 'lib', version: '1.0.0' })
  expect(await statusOf(eve)).toMatchObject({ isEnabled: false, copies: [] })
  const refused = await eve.api('GET', '/v1/mirror/plan')
  expect(refused).toMatchObject({ status: 409, json: { error: { code: 'MIRRORING_OFF' } } })
  await eve.stop()
})

test('a copy is kept over a restart, and comes to a node that is new', async () => {
  const [restarted] = mirrors
  const name = restarted!.home.root.split('/').at(-1)!
  await restarted!.stop()
  mirrors[0] = await start(name)
  expect((await statusOf(mirrors[0])).copies).toMatchObject([{ name: 'lib', bytes: 7 }])
  await held('lib')
  mirrors.push(await start('fay'))
  // The killed one counts as a member until its record expires.
  await eventually(async () => (await statusOf(mirrors[2]!)).members === NAMES.length + 1)
})

test('what is blocked is let go of, and another member takes it', async () => {
  const [blocking] = await holdersOf('lib')
  await at(blocking!, 'block', 'add', 'lib')
  await eventually(async () => {
    const holders = await holdersOf('lib')
    return holders.length === TARGET && !holders.includes(blocking!)
  })
  await expectRefusal(
    ['mirror', 'pin', 'lib'],
    { code: 'RELEASE_BLOCKED', names: [/lib/] },
    { home: blocking!.home.root }
  )
  await at(blocking!, 'block', 'remove', 'lib')
})

test('what is pinned is held whatever its rank, until it is no more', async () => {
  const before = await holdersOf('lib')
  const third = mirrors.find(mirror => !before.includes(mirror))!
  expect(await at(third, 'mirror', 'pin', 'lib')).toMatchObject({ name: 'lib', isPinned: true })
  await held('lib', TARGET + 1)
  expect(await at(third, 'mirror', 'unpin', 'lib')).toMatchObject({ isPinned: false })
  await expectRefusal(
    ['mirror', 'unpin', 'lib'],
    { code: 'NOT_FOUND', names: [/lib/] },
    { home: third.home.root }
  )
  await held('lib')
})

test('a node that drains hands over what it holds, and is no member then', async () => {
  const [leaving] = await holdersOf('lib')
  const { members: before } = await statusOf(leaving!)
  const status = (await at(leaving!, 'mirror', 'drain', '--wait')) as MirrorStatus
  expect(status).toMatchObject({ isMember: false, draining: { isSafeToLeave: true } })
  const others = mirrors.filter(mirror => mirror !== leaving)
  await eventually(async () => {
    const holding = await holdersOf('lib')
    const members = await Promise.all(others.map(async other => (await statusOf(other)).members))
    return others.every(other => holding.includes(other)) && members.every(count => count === before - 1)
  })
  expect(await at(leaving!, 'mirror', 'drain', '--cancel')).toMatchObject({ draining: null })
  expect((await at(leaving!, 'mirror', 'plan')) as MirrorPlanReply).toHaveProperty('actions')
})
