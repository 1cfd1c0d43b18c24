/** Two publishers of one name, and nodes that have to decide: real daemons and commands. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { formatPublicKey } from '../../trust/index.ts'
import { at, cliOk, expectRefusal, runCli } from './support/cli.ts'
import { eventually, type StartOptions, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

/** Publishers of demo@1.0.0 under one name, their keys, and how to start nodes that know both. */
async function rivals(): Promise<{ alice: string; mallory: string; start: StartOptions }> {
  const first = await net.start('alice')
  const second = await net.start('mallory', { join: first })
  await eventually(async () => (await first.ok('GET', '/v1/status')).peers === 1)
  const owner = async (daemon: TestDaemon, text: string): Promise<string> => {
    const files = { 'a.txt': text }
    const { record } = await daemon.publish({ name: 'demo', version: '1.0.0', files, wait: 1 })
    return formatPublicKey(record.release.owner)
  }
  const alice = await owner(first, 'of Alice')
  const mallory = await owner(second, 'of Mallory')
  return { alice, mallory, start: { join: [first, second] } }
}

it('an install guesses nobody, and takes whom the operator has chosen, also after kill -9', async () => {
  const { alice, mallory, start } = await rivals()
  const consumer = await net.start('consumer', start)
  await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers === 2)
  const target = join(net.folder, 'vendor')
  const install = ['install', 'demo', '--to', target]
  const home = { home: consumer.home.root }
  await expectRefusal(
    install,
    { code: 'OWNER_AMBIGUOUS', names: [alice, mallory], hint: 'conflicts resolve demo' },
    home
  )

  expect(await at(consumer, 'conflicts', 'list')).toMatchObject({
    conflicts: [
      { name: 'demo', outcome: 'open', strategy: 'manual', owners: 2, versions: ['1.0.0'], pinned: null }
    ]
  })
  const shown = (await at(consumer, 'conflicts', 'show', 'demo')) as {
    claimants: Array<{ publisher: string }>
  }
  expect(shown.claimants.map(({ publisher }) => publisher)).toEqual(expect.arrayContaining([alice, mallory]))
  const text = await runCli(['conflicts', 'show', 'demo', '--local'], home)
  expect(text).toMatchObject({ code: 0, stdout: expect.stringContaining(`publisher  ${mallory}`) })

  expect(await at(consumer, 'conflicts', 'resolve', 'demo', '--owner', alice)).toMatchObject({
    pinned: alice
  })
  await consumer.kill()
  const again = await net.start('consumer', start)
  await eventually(async () => (await again.ok('GET', '/v1/status')).peers === 2)
  expect(await at(again, ...install)).toMatchObject({ installed: [{ name: 'demo' }], ownersChanged: [] })
  expect(await readFile(join(target, 'demo', 'a.txt'), 'utf8')).toBe('of Alice')
  expect(await at(again, 'conflicts', 'list')).toMatchObject({
    conflicts: [{ outcome: 'pinned', pinned: alice }]
  })
})

it('a strategy that the operator sets settles it, by weight or by time, and never against a pin', async () => {
  const { alice, mallory, start } = await rivals()
  const { home } = await net.home('tester').then(layout => ({ home: layout.root }))
  const { keys } = (await cliOk(['key', 'list'], { home })) as { keys: Array<{ publicKey: string }> }
  const set = { 'conflicts.attestors': `${keys[0]!.publicKey} 1` }
  const tester = await net.start('tester', { ...start, set })
  await eventually(async () => (await tester.ok('GET', '/v1/status')).peers === 2)
  const owned = async (): Promise<string> =>
    ((await at(tester, 'info', 'demo')) as { publisher: string }).publisher

  await at(tester, 'conflicts', 'resolve', 'demo', '--strategy', 'newest-wins')
  expect(await owned()).toBe(mallory)
  expect(await at(tester, 'conflicts', 'resolve', 'demo', '--strategy', 'consensus-wins')).toEqual({
    name: 'demo',
    strategy: 'consensus-wins',
    origin: 'node',
    subject: 'demo',
    pinned: null
  })
  const info = ['info', 'demo']
  await expectRefusal(info, { code: 'OWNER_AMBIGUOUS', names: [alice] }, { home })
  await at(tester, 'trust', 'attest', 'demo@1.0.0', '--publisher', alice, '--statement', 'tested')
  expect(await owned()).toBe(alice)
  const target = join(net.folder, 'vendor')
  await at(tester, 'install', 'demo', '--to', target)
  expect(await readFile(join(target, 'demo', 'a.txt'), 'utf8')).toBe('of Alice')
  // The install has pinned the name: what is newer does not get it any more.
  await at(tester, 'conflicts', 'resolve', 'demo', '--strategy', 'newest-wins')
  expect(await owned()).toBe(alice)
  expect(await at(tester, 'conflicts', 'resolve', 'demo', '--clear')).toMatchObject({
    strategy: 'manual',
    origin: 'config',
    pinned: alice
  })
})
