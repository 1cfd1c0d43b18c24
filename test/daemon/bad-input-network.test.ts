/** Wrong names, peers that are not there and folders that are not ours, as the user of fetch and install meets them. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  cliOk,
  expectJsonRefusal,
  expectRefusal,
  expectTextRefusal,
  type RunningCli,
  startCli
} from './support/cli.ts'
import { Hostile } from './support/hostile.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

const NOBODYS_ADDRESS =
  '/ip4/127.0.0.1/udp/9/quic-v1/p2p/12D3KooWRm1LqZQ2M3TQj1qieZja6xCc9WebQrmKEuDN4wPrkoCW'

let net: TestNet
let consumer: TestDaemon
let publisher: TestDaemon
let at: { home: string }
beforeAll(async () => {
  net = await TestNet.create()
  consumer = await net.start('consumer')
  at = { home: consumer.home.root }
})
afterAll(() => net.destroy())

/** What a folder holds, bytes included. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(await Promise.all(files.map(async file => [file, await readFile(file, 'utf8')])))
}

describe('a node that is alone', () => {
  it('says so, and how to be not', async () => {
    const refusal = {
      code: 'NO_PEERS' as const,
      names: ['nice', 'connected to nobody'],
      hint: /init --join|peers connect/
    }
    await expectRefusal(['fetch', 'nice'], refusal, at)
    await expectRefusal(['install', 'nice', '--to', join(net.folder, 'target')], refusal, at)
    expect(await readdir(net.folder)).not.toContain('target')
  })

  it('names an address that nobody answers on', async () => {
    await expectRefusal(
      ['peers', 'connect', NOBODYS_ADDRESS],
      { code: 'DIAL_FAILED', names: ['/udp/9/'], hint: 'address' },
      at
    )
    await expectRefusal(
      ['fetch', 'nice', '--from', NOBODYS_ADDRESS],
      { code: 'DIAL_FAILED', names: ['/udp/9/'], hint: 'address' },
      at
    )
  })
})

describe('a node among others', () => {
  beforeAll(async () => {
    publisher = await net.start('publisher', { join: consumer })
    await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers === 1)
    await publisher.publish({ name: 'tool', version: '1.2.0', files: { 'a.txt': 'tool' }, wait: 1 })
  })

  it('says soon that nobody has a name, or that a version is none of those there are', async () => {
    const startedMs = performance.now()
    await expectRefusal(
      ['fetch', 'nothing'],
      { code: 'NO_PROVIDERS', names: ['nothing'], hint: 'online' },
      at
    )
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    await expectRefusal(
      ['fetch', 'tool@^2.0.0'],
      { code: 'RELEASE_NOT_FOUND', names: ['tool@^2.0.0', '1.2.0'], hint: 'catalog versions' },
      at
    )
    const nobody = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
    await expectRefusal(
      ['fetch', 'tool', '--publisher', nobody],
      { code: 'RELEASE_NOT_FOUND', names: ['tool', nobody] },
      at
    )
    await expectRefusal(['fetch', 'tool', '--publisher', 'me'], { code: 'KEY_INVALID', names: [/me/] }, at)
  })

  it('installs over nothing that it did not put there', async () => {
    const target = join(net.folder, 'foreign')
    await mkdir(join(target, 'tool'), { recursive: true })
    await writeFile(join(target, 'tool', 'diary.txt'), 'mine')
    const before = await contentsOf(target)
    await expectRefusal(
      ['install', 'tool', '--to', target],
      { code: 'TARGET_REFUSED', names: [join(target, 'tool')], hint: 'another folder' },
      at
    )
    expect(await contentsOf(target)).toEqual(before)
    const file = join(net.folder, 'file')
    await writeFile(file, 'a file')
    await expectRefusal(['install', 'tool', '--to', file], { code: 'TARGET_REFUSED', names: [file] }, at)
    expect(await readFile(file, 'utf8')).toBe('a file')
  })

  it('installs by a lock only when there is one that can be read and is true', async () => {
    const target = join(net.folder, 'locked')
    await mkdir(target)
    const frozen = ['install', '--frozen', '--to', target]
    await expectRefusal(
      frozen,
      { code: 'NOT_FOUND', names: ['catalog-lock.json', target], hint: 'without --frozen' },
      at
    )
    expect(await contentsOf(target)).toEqual({})
    await cliOk(['install', 'tool', '--to', target], at)
    const lock = join(target, 'catalog-lock.json')
    const text = await readFile(lock, 'utf8')
    for (const [wrong, names] of [
      ['{', ['catalog-lock.json']],
      ['[]', ['catalog-lock.json']],
      [text.replace(/"sizeBytes": \d+/, '"sizeBytes": 12'), ['sizeBytes', '12']]
    ] as const) {
      await writeFile(lock, wrong)
      const before = await contentsOf(target)
      await expectRefusal(frozen, { code: 'LOCK_INVALID', names: [...names], hint: 'restore' }, at)
      expect(await contentsOf(target)).toEqual(before)
    }
    await writeFile(lock, text.replace('1.2.0', '1.2.1'))
    await expectRefusal(frozen, { code: 'RELEASE_NOT_FOUND', names: ['tool@1.2.1'], hint: /./ }, at)
    await writeFile(lock, text)
    await cliOk(frozen, at)
  })

  it('does not take a name of another owner than the one it is pinned to', async () => {
    const target = join(net.folder, 'pinned')
    await cliOk(['install', 'tool', '--to', target], at)
    const before = await contentsOf(target)
    const squatter = await net.start('squatter', { join: consumer })
    await squatter.publish({ name: 'tool', version: '9.0.0', files: { 'a.txt': 'squatted' }, wait: 1 })
    const { installed } = (await cliOk(['install', 'tool', '--to', target], at)) as {
      installed: Array<{ version: string }>
    }
    expect(installed).toMatchObject([{ version: '1.2.0' }])
    expect(await contentsOf(target)).toEqual(before)
    await squatter.stop()
  })
})

describe('a fetch that hangs', { timeout: 60_000 }, () => {
  let hostile: Hostile
  beforeAll(async () => {
    hostile = await Hostile.start()
  })
  afterAll(() => hostile.stop())

  /** Starts a fetch from a peer that is silent, and waits until the daemon works on it. */
  async function hanging(name: string, ...flags: string[]): Promise<RunningCli> {
    await hostile.release({ name, files: { 'a.txt': name } })
    const silent = await hostile.join(consumer, { content: 'silence' })
    await silent.announce(name)
    const command = startCli(['fetch', name, ...flags], at)
    await eventually(async () => (await running()).length === 1)
    return command
  }

  async function running(): Promise<unknown[]> {
    const { operations } = await consumer.ok('GET', '/v1/operations')
    return operations.filter((one: { state: string }) => one.state === 'running')
  }

  it('ends with the command: Ctrl-C, and its --timeout', async () => {
    const interrupted = await hanging('hangs-1', '--json')
    interrupted.process.kill('SIGINT')
    expectJsonRefusal(await interrupted.ended, { code: 'ABORTED', names: ['SIGINT'], exit: 130 })
    expect(await running()).toEqual([])
    const late = await hanging('hangs-2', '--timeout', '2s')
    expectTextRefusal(await late.ended, {
      code: 'TIMEOUT',
      names: ['2000 ms|2s|2 s'].map(one => new RegExp(one)),
      hint: '--timeout'
    })
    await eventually(async () => (await running()).length === 0)
  })

  it('is told of its cancellation by another, and of the end of the daemon', async () => {
    const cancelled = await hanging('hangs-3', '--json')
    const [operation] = (await running()) as Array<{ id: string }>
    await consumer.ok('DELETE', `/v1/operations/${operation!.id}`)
    expectJsonRefusal(await cancelled.ended, { code: 'ABORTED', names: ['cancelled at the daemon'] })

    const lost = await hanging('hangs-4', '--json')
    await consumer.kill()
    expectJsonRefusal(await lost.ended, { code: 'NO_DAEMON', names: [consumer.home.socket, 'broke off'] })
    await rm(join(net.folder, 'foreign'), { recursive: true })
    consumer = await net.start('consumer')
    const { versions } = await consumer.ok('GET', '/v1/packages/tool')
    expect(versions).toMatchObject([{ version: '1.2.0', local: 'complete' }])
  })
})
