/** What is wrong with a folder, its description or its key when it is published, and what may happen on the way. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MIB } from '../../base/index.ts'
import {
  cliOk,
  expectJsonRefusal,
  expectRefusal,
  expectTextRefusal,
  type Refusal,
  type RunningCli,
  startCli
} from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

/** `nobody` of every Linux. */
const NOBODY = 65_534
const IS_ROOT = process.getuid?.() === 0

let net: TestNet
let daemon: TestDaemon
let count = 0
beforeAll(async () => {
  net = await TestNet.create()
  daemon = await net.start('one')
})
afterAll(() => net.destroy())

/** A new folder of files; a name ending in a slash is an empty folder. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = join(net.folder, `source-${++count}`)
  await mkdir(folder)
  for (const [path, body] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), body)
  }
  return folder
}

const publishArgs = (folder: string, ...more: string[]): string[] => [
  'publish',
  folder,
  ...(more.includes('--name') ? [] : ['--name', 'sample']),
  ...(more.includes('--version') ? [] : ['--version', '1.0.0']),
  ...more
]

/** What others see of this node: the list of releases, and that every stored byte is right. */
async function visible(): Promise<string[]> {
  const { packages } = await daemon.ok('GET', '/v1/packages')
  return packages.map(
    (one: { name: string; version: string; id: string }) => `${one.name}@${one.version} ${one.id}`
  )
}

/** The publish fails so, and nothing of it can be seen. */
async function expectNotPublished(folder: string, refusal: Refusal, ...more: string[]): Promise<void> {
  const before = await visible()
  await expectRefusal(publishArgs(folder, ...more), refusal, { home: daemon.home.root })
  expect(await visible()).toEqual(before)
}

describe('a folder is refused that', () => {
  it('is not there, or is a file', async () => {
    await expectNotPublished(join(net.folder, 'nope'), {
      code: 'SOURCE_UNREADABLE',
      names: [join(net.folder, 'nope'), 'ENOENT'],
      hint: 'exists'
    })
    const folder = await folderOf({ 'a.txt': 'a' })
    await expectNotPublished(join(folder, 'a.txt'), {
      code: 'SOURCE_UNREADABLE',
      names: ['a.txt', 'not a folder'],
      hint: 'folder'
    })
  })

  it('holds a pipe, a socket or a device', async () => {
    const refusal = (name: string, what: string): Refusal => ({
      code: 'ENTRY_REFUSED',
      names: [name, what],
      hint: '.catalogignore'
    })
    const pipe = await folderOf({ 'a.txt': 'a' })
    execFileSync('mkfifo', [join(pipe, 'b.pipe')])
    await expectNotPublished(pipe, refusal('b.pipe', 'a pipe'))

    const socket = await folderOf({ 'a.txt': 'a' })
    const server = createServer().listen(join(socket, 'b.sock'))
    await once(server, 'listening')
    await expectNotPublished(socket, refusal('b.sock', 'a socket'))
    server.close()

    if (!IS_ROOT) return
    const device = await folderOf({ 'a.txt': 'a' })
    execFileSync('mknod', [join(device, 'b.dev'), 'c', '1', '3'])
    await expectNotPublished(device, refusal('b.dev', 'a device'))
  })

  it('has a name or a version that no release may have', async () => {
    const folder = await folderOf({ 'a.txt': 'a' })
    for (const name of ['../evil', '@a/../b', 'Upper', '.', 'a/b/c', `a${'b'.repeat(64)}`])
      expectJsonRefusal(
        await startCli([...publishArgs(folder, '--name', name), '--json'], { home: daemon.home.root }).ended,
        { code: 'NAME_INVALID', names: [JSON.stringify(name).slice(1, -1).slice(0, 40)], hint: '@scope/' }
      )
    for (const version of ['1.0', 'v1.0.0', '1.0.0+build', '01.0.0', 'latest'])
      expectJsonRefusal(
        await startCli([...publishArgs(folder, '--version', version), '--json'], { home: daemon.home.root })
          .ended,
        { code: 'VERSION_INVALID', names: [version], hint: '1.4.0' }
      )
    await expectNotPublished(folder, { code: 'NAME_INVALID', names: ['../evil'] }, '--name', '../evil')
    await expectNotPublished(folder, { code: 'VERSION_INVALID', names: ['one'] }, '--version', 'one')
    // The same in the folder's own description.
    const described = await folderOf({
      'package.json': JSON.stringify({ name: '../evil', version: '1.0.0' })
    })
    expectJsonRefusal(await startCli(['publish', described, '--json'], { home: daemon.home.root }).ended, {
      code: 'NAME_INVALID',
      names: ['../evil']
    })
    const unnamed = await folderOf({ 'a.txt': 'a' })
    expectJsonRefusal(await startCli(['publish', unnamed, '--json'], { home: daemon.home.root }).ended, {
      code: 'INVALID_ARGUMENT',
      names: ['no name'],
      hint: '--name'
    })
  })

  it('says too much about itself: a field beyond its bound, a record of more than 32 KiB', async () => {
    const folder = await folderOf({ 'a.txt': 'a' })
    await expectNotPublished(
      folder,
      { code: 'INVALID_ARGUMENT', names: ['description', '4096'] },
      '--description',
      'x'.repeat(5000)
    )
    const extensions = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'x'.repeat(1000)]))
    const toml = Object.entries(extensions).map(([key, value]) => `${key} = "${value}"`)
    const large = await folderOf({ 'catalog-package.toml': `[extensions]\n${toml.join('\n')}\n` })
    await expectNotPublished(large, { code: 'RECORD_TOO_LARGE', names: ['32768'], hint: 'shorten' })
  })

  it('holds a file that its user may not read', async () => {
    const folder = await folderOf({ 'a.txt': 'a', 'secret.txt': 's' })
    await chmod(join(folder, 'secret.txt'), 0)
    const options = { home: daemon.home.root, ...(IS_ROOT ? { uid: NOBODY } : {}) }
    if (IS_ROOT) {
      // The daemon stays root's; home and socket become those of the user who runs the command.
      await chmod(net.folder, 0o711)
      execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, daemon.home.root])
    }
    try {
      const before = await visible()
      await expectRefusal(
        publishArgs(folder),
        { code: 'SOURCE_UNREADABLE', names: ['secret.txt', 'EACCES'], hint: 'permissions' },
        options
      )
      expect(await visible()).toEqual(before)
    } finally {
      if (IS_ROOT) execFileSync('chown', ['-R', '0:0', daemon.home.root])
    }
  })
})

describe('the same version again', () => {
  it('with the same content is nothing new, with other content is refused', async () => {
    const folder = await folderOf({ 'a.txt': 'a' })
    const args = publishArgs(folder, '--name', 'twice')
    const first = (await cliOk(args, { home: daemon.home.root })) as { id: string; content: string }
    await writeFile(join(folder, 'a.txt'), 'b')
    await expectNotPublished(
      folder,
      { code: 'RELEASE_EXISTS', names: ['twice', '1.0.0'], hint: 'new version' },
      '--name',
      'twice'
    )
    const { packages } = await daemon.ok('GET', '/v1/packages')
    expect(packages.filter((one: { name: string }) => one.name === 'twice')).toMatchObject([
      { content: first.content }
    ])
  })
})

/** Files larger than what the sockets between command and daemon hold, so that a stopped daemon stops the command. */
const HELD_BYTES = 24 * MIB

/** Runs a publish whose daemon is stopped until `change` has run, which happens while the command has `held.bin` open. */
async function publishWhile(
  folder: string,
  change: () => Promise<void>,
  ...flags: string[]
): Promise<Awaited<RunningCli['ended']>> {
  daemon.process.kill('SIGSTOP')
  try {
    const command = startCli([...publishArgs(folder), ...flags], { home: daemon.home.root })
    await eventually(() => hasOpen(command.process.pid!, join(folder, 'held.bin')))
    await change()
    daemon.process.kill('SIGCONT')
    return await command.ended
  } finally {
    daemon.process.kill('SIGCONT')
  }
}

async function hasOpen(pid: number, path: string): Promise<boolean> {
  const links = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const targets = await Promise.all(links.map(link => readlink(`/proc/${pid}/fd/${link}`).catch(() => '')))
  return targets.includes(path)
}

async function heldFolder(): Promise<string> {
  const folder = await folderOf({ 'a.txt': 'first', 'z.txt': 'last' })
  await (await open(join(folder, 'held.bin'), 'w')).close()
  await truncate(join(folder, 'held.bin'), HELD_BYTES)
  return folder
}

describe.runIf(process.platform === 'linux')('a file that, while it is published,', () => {
  it.each<[string, string, (folder: string) => Promise<void>]>([
    ['grows', 'held.bin', folder => appendFile(join(folder, 'held.bin'), 'more')],
    ['shrinks', 'held.bin', folder => truncate(join(folder, 'held.bin'), MIB)],
    [
      'is rewritten in the same length',
      'held.bin',
      async folder => {
        const file = await open(join(folder, 'held.bin'), 'r+')
        await file.write('other', HELD_BYTES / 2)
        await file.close()
      }
    ],
    ['was read already and is rewritten', 'a.txt', folder => writeFile(join(folder, 'a.txt'), 'other')],
    ['is not read yet and is removed', 'z.txt', folder => rm(join(folder, 'z.txt'))],
    [
      'is not read yet and becomes a link to a secret',
      'z.txt',
      async folder => {
        await rm(join(folder, 'z.txt'))
        await symlink('/etc/passwd', join(folder, 'z.txt'))
      }
    ],
    [
      'is not read yet and becomes a pipe',
      'z.txt',
      async folder => {
        await rm(join(folder, 'z.txt'))
        execFileSync('mkfifo', [join(folder, 'z.txt')])
      }
    ]
  ])('%s', async (_, name, change) => {
    const folder = await heldFolder()
    const before = await visible()
    const ended = await publishWhile(folder, () => change(folder), '--json')
    expectJsonRefusal(ended, { code: 'SOURCE_CHANGED', names: [name], hint: 'nothing writes' })
    expect(await visible()).toEqual(before)
  })

  it('loses its daemon: the command says so, and nothing of it is there after', async () => {
    const before = await visible()
    const gone = {
      code: 'NO_DAEMON' as const,
      names: [daemon.home.socket, 'broke off'],
      hint: 'catalog daemon'
    }
    const ended = await publishWhile(await heldFolder(), () => daemon.kill())
    expectTextRefusal(ended, gone)
    daemon = await net.start('one')
    expect(await visible()).toEqual(before)
    const again = (await publishWhile(await heldFolder(), () => daemon.kill(), '--json')) as typeof ended
    expectJsonRefusal(again, gone)
    daemon = await net.start('one')
    expect(await visible()).toEqual(before)
    expect((await daemon.operation('/v1/verifications', {})).result).toMatchObject({ ok: true, bad: [] })
  })

  it('is published by a command that is interrupted', async () => {
    const folder = await heldFolder()
    const before = await visible()
    daemon.process.kill('SIGSTOP')
    const command = startCli([...publishArgs(folder), '--json'], { home: daemon.home.root })
    await eventually(() => hasOpen(command.process.pid!, join(folder, 'held.bin')))
    command.process.kill('SIGINT')
    const ended = await command.ended
    daemon.process.kill('SIGCONT')
    expectJsonRefusal(ended, { code: 'ABORTED', names: ['SIGINT'], exit: 130 })
    expect(await visible()).toEqual(before)
  })
})
