/** What was asked for while nobody could be reached is done when somebody can, whatever happens to the daemon in between. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, expectRefusal } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

const queueOf = async (daemon: TestDaemon): Promise<Array<Record<string, unknown>>> =>
  ((await at(daemon, 'queue', 'list')) as { queue: Array<Record<string, unknown>> }).queue
const stateOf = async (daemon: TestDaemon, spec: string): Promise<unknown> => {
  const { versions } = (await daemon.ok('GET', `/v1/packages/${spec}`)) as {
    versions: Array<{ local: string }>
  }
  return versions[0]?.local
}

it('fetches later, after a kill too, and forgets what it has done', async () => {
  const publisher = await net.start('publisher')
  for (const name of ['one', 'two'])
    await publisher.publish({ name, version: '1.0.0', files: { 'a.txt': `of ${name}` } })
  const alone = await net.start('consumer')
  const { queued } = (await at(alone, 'fetch', 'one', '--later')) as { queued: Record<string, unknown> }
  expect(queued).toMatchObject({ kind: 'fetch', request: { spec: 'one' }, attempts: 0 })
  expect(await at(alone, 'fetch', 'one', '--later')).toEqual({ queued })
  await alone.kill()
  const again = await net.start('consumer', { join: publisher })
  await eventually(async () => (await stateOf(again, 'one')) === 'complete')
  await eventually(async () => (await queueOf(again)).length === 0)
  expect(await at(again, 'fetch', 'two', '--later')).toMatchObject({ name: 'two' })
  expect(await queueOf(again)).toEqual([])
})

it('follows a library whose node was away', async () => {
  const writer = await net.start('writer')
  await writer.publish({ name: 'one', version: '1.0.0', files: { 'a.txt': 'one' } })
  const reader = await net.start('reader', { join: writer })
  // It does not say goodbye, and the reader finds out in the middle of asking.
  await writer.kill()
  await at(reader, 'sync', writer.peerId, '--later')
  expect(await queueOf(reader)).toMatchObject([{ kind: 'sync', request: { peer: writer.peerId } }])
  await net.start('writer', { join: reader })
  await eventually(async () => (await queueOf(reader)).length === 0)
  expect(await at(reader, 'sync', '--status')).toMatchObject({
    libraries: [{ writer: writer.peerId, records: 1 }]
  })
})

it('queues nothing that is wrong, and says what is not there', async () => {
  const daemon = await net.start('one')
  const { root: home } = daemon.home
  await expectRefusal(['fetch', 'a b', '--later'], { code: 'NAME_INVALID', names: [] }, { home })
  await expectRefusal(
    ['queue', 'remove', 'nothing'],
    { code: 'NOT_FOUND', names: ['nothing'], hint: 'queue list' },
    { home }
  )
  await expectRefusal(
    ['sync', 'x', '--later', '--dry-run'],
    { code: 'INVALID_ARGUMENT', names: ['--later'] },
    { home }
  )
  await expectRefusal(['fetch', 'one'], { code: 'NO_PEERS', names: [] }, { home })
  expect(await queueOf(daemon)).toEqual([])
  expect((await daemon.api('POST', '/v1/queue/fetch', { spec: 'a b' })).json.error.code).toBe('NAME_INVALID')
})
