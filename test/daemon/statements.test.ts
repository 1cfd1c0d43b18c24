/** What an owner says of a release reaches whoever looks it up, is kept there, and survives a kill: real daemons and commands. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { at, runCli } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

const publish = (daemon: TestDaemon, version: string): Promise<unknown> =>
  daemon.publish({ name: 'demo', version, files: { 'a.txt': `version ${version}` }, wait: 1 })

/** A publisher of demo@1.0.0 and demo@1.1.0, and a consumer that has fetched the second. */
async function two(): Promise<{ publisher: TestDaemon; consumer: TestDaemon }> {
  const publisher = await net.start('publisher')
  const consumer = await net.start('consumer', { join: publisher })
  await eventually(async () => (await publisher.ok('GET', '/v1/status')).peers === 1)
  for (const version of ['1.0.0', '1.1.0']) await publish(publisher, version)
  expect(await at(consumer, 'fetch', 'demo')).toMatchObject({ version: '1.1.0', status: 'published' })
  return { publisher, consumer }
}

/** A publisher that has just started may not be found at once. */
const untilHighest = (daemon: TestDaemon, version: string): Promise<unknown> =>
  eventually(async () => ((await at(daemon, 'info', 'demo')) as { version: string }).version === version)

describe('a yank', () => {
  it('is told at the next look-up, kept and passed on, and ends with a newer status', async () => {
    const { publisher, consumer } = await two()
    const words = ['--reason', 'leaks the key', '--replacement', 'demo@1.0.0']
    expect(await at(publisher, 'yank', 'demo@1.1.0', ...words)).toMatchObject({ status: 'yanked' })
    expect(await at(consumer, 'fetch', 'demo')).toMatchObject({ version: '1.0.0', status: 'published' })
    const named = await runCli(['fetch', 'demo@1.1.0'], { home: consumer.home.root })
    expect(named).toMatchObject({ code: 0 })
    expect(named.stderr).toContain('warning: demo@1.1.0 is yanked: leaks the key; instead of it: demo@1.0.0')
    // Kept by the look-up above: what is here says so without anybody else, and tells others.
    await publisher.stop()
    const { versions } = (await at(consumer, 'versions', 'demo', '--local')) as {
      versions: Array<{ version: string; status: string }>
    }
    expect(versions.map(({ version, status }) => `${version} ${status}`)).toEqual([
      '1.1.0 yanked',
      '1.0.0 published'
    ])
    const third = await net.start('third')
    const from = ['--from', consumer.address]
    expect(await at(third, 'fetch', 'demo@1.1.0', ...from)).toMatchObject({ status: 'yanked' })
    expect(await at(third, 'fetch', 'demo', ...from)).toMatchObject({ version: '1.0.0' })
    expect(await at(third, 'info', 'demo@1.1.0', '--local')).toMatchObject({ reason: 'leaks the key' })

    const back = await net.start('publisher', { join: consumer })
    expect(await at(back, 'unyank', 'demo@1.1.0')).toMatchObject({ status: 'published' })
    await untilHighest(consumer, '1.1.0')
  })

  it('that was answered survives kill -9', async () => {
    const { publisher, consumer } = await two()
    await at(publisher, 'yank', 'demo@1.1.0')
    await publisher.kill()
    const again = await net.start('publisher', { join: consumer })
    expect(await at(again, 'info', 'demo@1.1.0', '--local')).toMatchObject({ status: 'yanked' })
    await untilHighest(consumer, '1.0.0')
  })
})

describe('new words', () => {
  it('take the place of the old ones; what is locked or held by the old ones stays good', async () => {
    const { publisher, consumer } = await two()
    const target = join(net.folder, 'vendor')
    await at(consumer, 'install', 'demo@1.1.0', '--to', target)
    const lock = await readFile(join(target, 'catalog-lock.json'), 'utf8')
    const before = (await at(consumer, 'info', 'demo@1.1.0', '--local')) as { id: string; content: string }
    const described = (await at(publisher, 'describe', 'demo@1.1.0', '--description', 'New words')) as {
      id: string
    }
    expect(described).toMatchObject({ content: before.content })
    expect(described.id).not.toBe(before.id)

    const third = await net.start('third', { join: publisher })
    await eventually(async () => (await third.ok('GET', '/v1/status')).peers > 0)
    expect(await at(third, 'info', 'demo@1.1.0')).toMatchObject({
      id: described.id,
      description: 'New words'
    })
    const other = join(net.folder, 'other')
    await mkdir(other)
    await writeFile(join(other, 'catalog-lock.json'), lock)
    expect(await at(third, 'install', '--frozen', '--to', other)).toMatchObject({
      installed: [{ name: 'demo', version: '1.1.0' }]
    })
    expect(await readFile(join(other, 'demo', 'a.txt'), 'utf8')).toBe('version 1.1.0')
    expect(await readFile(join(other, 'catalog-lock.json'), 'utf8')).toBe(lock)
    // The look-up brings the words to who had the old ones.
    expect(await at(consumer, 'info', 'demo@1.1.0')).toMatchObject({ description: 'New words' })
  })
})
