/** What an operator has blocked: real daemons and commands. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, runCli } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

const failure = (daemon: TestDaemon, ...args: string[]): ReturnType<typeof runCli> =>
  runCli(args, { home: daemon.home.root })

it('a release that is blocked goes, is neither fetched nor served nor told of, and comes back when it is let in', async () => {
  const publisher = await net.start('publisher')
  let consumer = await net.start('consumer', { join: publisher })
  await eventually(async () => (await publisher.ok('GET', '/v1/status')).peers === 1)
  const publish = (version: string): Promise<unknown> =>
    publisher.publish({ name: 'demo', version, files: { 'a.txt': `version ${version}` }, wait: 1 })
  await publish('1.0.0')
  await publish('1.1.0')
  const { publisher: owner } = (await at(consumer, 'fetch', 'demo')) as { publisher: string }
  await at(consumer, 'fetch', 'demo@1.0.0')
  await at(consumer, 'pin', 'demo@1.1.0')

  const words = ['block', 'add', 'demo@1.1.0', '--reason', 'leaks the key']
  const gone = { releases: 1, contents: 1 }
  expect(await at(consumer, ...words, '--dry-run')).toMatchObject({ isDryRun: true, dropped: gone })
  expect(await at(consumer, 'verify', 'demo@1.1.0')).toMatchObject({ ok: true })
  expect(await at(consumer, ...words)).toMatchObject({ subject: 'demo@1.1.0', dropped: gone })

  // Not here, and not let in again: neither by its version, nor by a range or its id, nor into a folder.
  expect(await failure(consumer, 'fetch', 'demo@1.1.0')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('demo@1.1.0 is blocked on this node: leaks the key')
  })
  expect(
    await failure(consumer, 'install', 'demo@1.1.0', '--to', join(consumer.home.root, 'target'))
  ).toMatchObject({
    code: 4
  })
  expect(await at(consumer, 'fetch', 'demo@^1')).toMatchObject({ version: '1.0.0' })
  await at(consumer, 'library', 'follow', publisher.peerId, '--content', 'all')
  await eventually(async () => {
    const { follows } = (await at(consumer, 'sync', '--status')) as { follows: Array<{ state: string }> }
    return follows[0]?.state === 'waiting'
  })
  // Nor told of, as long as the daemon lives and in its next life.
  await consumer.stop()
  consumer = await net.start('consumer', { join: publisher })
  const third = await net.start('third')
  const fromConsumer = (spec: string): ReturnType<typeof runCli> =>
    failure(third, 'fetch', spec, '--from', consumer.address)
  expect(await fromConsumer('demo@1.0.0')).toMatchObject({ code: 0 })
  expect((await fromConsumer('demo@1.1.0')).code).not.toBe(0)

  // All of an owner, then nothing.
  expect(await at(consumer, 'block', 'add', owner)).toMatchObject({ dropped: { contents: 1 } })
  expect(await failure(consumer, 'fetch', 'demo')).toMatchObject({ code: 4 })
  const { packages } = (await at(consumer, 'list')) as { packages: Array<{ isBlocked: boolean }> }
  expect(packages.map(({ isBlocked }) => isBlocked)).toEqual([true, true])
  expect(await at(consumer, 'block', 'list')).toMatchObject({
    blocks: [{ subject: 'demo@1.1.0' }, { subject: owner }]
  })
  for (const subject of ['demo@1.1.0', owner]) await at(consumer, 'block', 'remove', subject)
  expect(await at(consumer, 'fetch', 'demo')).toMatchObject({ version: '1.1.0' })
  expect(await failure(consumer, 'block', 'remove', owner)).toMatchObject({ code: 3 })
})
