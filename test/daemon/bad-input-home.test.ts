/** What is wrong with the command line, the home, its keys, its configuration or its socket, as its user sees it. */
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../base/index.ts'
import {
  type CliOptions,
  cliOk,
  expectJsonRefusal,
  expectRefusal,
  type Refusal,
  runCli
} from './support/cli.ts'
import { type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let daemon: TestDaemon
beforeAll(async () => {
  net = await TestNet.create()
  daemon = await net.start('running')
})
afterAll(() => net.destroy())

/** All names in a home, to see that nothing was made or removed. */
const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).sort()

const DAEMON = ['daemon', '--no-mdns', '--listen', '/ip4/127.0.0.1/udp/0/quic-v1']

/** A start that must fail so, said in JSON: that text says the same is seen once, at a home that is in use. */
async function expectNoStart(refusal: Refusal, options: CliOptions, ...flags: string[]): Promise<void> {
  expectJsonRefusal(await runCli([...DAEMON, ...flags, '--json'], options), refusal)
}

describe('a wrong command line', () => {
  it.each<[string, string[], ErrorCode, string, string]>([
    ['an unknown flag', ['install', 'x', '--frozn'], 'INVALID_ARGUMENT', '--frozn', 'did you mean --frozen'],
    ['an unknown command', ['publsh', '.'], 'INVALID_ARGUMENT', 'publsh', 'did you mean publish'],
    ['a name that is none', ['fetch', 'Nice Name'], 'NAME_INVALID', 'Nice Name', '@scope/'],
    ['a range that is none', ['fetch', 'nice@^^1'], 'SPEC_INVALID', 'nice@', 'a range'],
    [
      'a release that nobody has',
      ['info', 'nice', '--local'],
      'RELEASE_NOT_FOUND',
      'nice',
      'catalog versions'
    ],
    [
      'a folder that is missing',
      ['publish', '/nowhere/at/all'],
      'SOURCE_UNREADABLE',
      '/nowhere/at/all',
      'exists'
    ]
  ])('%s', async (_, args, code, name, hint) => {
    await expectRefusal(args, { code, names: [name], hint }, { home: daemon.home.root })
  })

  it('a peer address that is none', async () => {
    const at = { home: daemon.home.root }
    await expectRefusal(
      ['peers', 'connect', '127.0.0.1:4747'],
      { code: 'PEER_ADDRESS_INVALID', names: ['127.0.0.1:4747'], hint: '/ip4/' },
      at
    )
    await expectRefusal(
      ['peers', 'connect', '/ip4/127.0.0.1/tcp/4747/ws'],
      { code: 'PEER_ADDRESS_INVALID', names: ['/ip4/127.0.0.1/tcp/4747/ws'], hint: '/udp/' },
      at
    )
  })
})

describe('a home', () => {
  it('that is not there', async () => {
    const home = join(net.folder, 'nowhere')
    const hint = 'catalog init'
    await expectNoStart({ code: 'HOME_MISSING', names: [home], hint }, { home })
    await expectRefusal(['status'], { code: 'NO_DAEMON', names: [home], hint }, { home })
    await expectRefusal(['key', 'list'], { code: 'HOME_MISSING', names: [home], hint }, { home })
    expect(await readdir(net.folder)).not.toContain('nowhere')
  })

  it('that a daemon already runs on', async () => {
    await expectRefusal(
      DAEMON,
      { code: 'HOME_LOCKED', names: [`process ${daemon.process.pid}`], hint: 'stop the process' },
      { home: daemon.home.root }
    )
    await expectRefusal(
      ['init'],
      { code: 'HOME_EXISTS', names: [daemon.home.root] },
      { home: daemon.home.root }
    )
    expect(await daemon.ok('GET', '/v1/status')).toMatchObject({ state: 'running' })
  })

  it('of a newer format, of none, and readable by others', async () => {
    const home = await net.home('strange')
    const refuses = async (refusal: Refusal): Promise<void> => {
      const before = await namesIn(home.root)
      await expectNoStart(refusal, { home: home.root })
      expect(await namesIn(home.root)).toEqual(before)
    }
    await writeFile(home.format, '7\n')
    await refuses({ code: 'FORMAT_TOO_NEW', names: [home.root, 'format 7'], hint: 'upgrade' })
    await writeFile(home.format, 'seven\n')
    await refuses({ code: 'FORMAT_INVALID', names: [home.format], hint: 'backup' })
    await writeFile(home.format, '1\n')
    await chmod(home.root, 0o755)
    await refuses({ code: 'HOME_PERMISSIONS', names: [home.root], hint: 'chmod go-rwx' })
    await chmod(home.root, 0o700)
    await chmod(home.nodeKey, 0o644)
    await refuses({ code: 'HOME_PERMISSIONS', names: ['node.key'], hint: 'chmod' })
  })

  it('whose node key is missing, cut off or of other bytes', async () => {
    const home = await net.home('keyless')
    const key = await readFile(home.nodeKey)
    for (const [bytes, names] of [
      [key.subarray(0, 20), ['node.key']],
      [Buffer.alloc(68, 7), ['node.key']],
      [Buffer.alloc(0), ['node.key']]
    ] as const) {
      await writeFile(home.nodeKey, bytes)
      await expectNoStart({ code: 'KEY_INVALID', names: [...names] }, { home: home.root })
      expect(await readFile(home.nodeKey), 'a key is never written over').toEqual(bytes)
    }
    await rm(home.nodeKey)
    await expectNoStart({ code: 'KEY_NOT_FOUND', names: ['node.key'], hint: 'backup' }, { home: home.root })
    await writeFile(home.nodeKey, key, { mode: 0o600 })
    await net.start('keyless')
  })

  it('that holds something else is not made a home', async () => {
    const home = join(net.folder, 'photos')
    await mkdir(home, { mode: 0o700 })
    await writeFile(join(home, 'cat.jpg'), 'meow')
    await expectRefusal(
      ['init'],
      { code: 'HOME_EXISTS', names: [home, 'cat.jpg'], hint: 'empty folder' },
      { home }
    )
    expect(await readdir(home)).toEqual(['cat.jpg'])
  })
})

describe('an invite', () => {
  it('that is not whole', async () => {
    const { invite } = (await cliOk(['invite'], { home: daemon.home.root })) as { invite: string }
    const home = join(net.folder, 'invited')
    for (const wrong of [
      invite.slice(0, -3),
      `${invite.slice(0, 30)}${invite[30] === 'A' ? 'B' : 'A'}${invite.slice(31)}`,
      'hello',
      'catalog1:'
    ])
      await expectRefusal(
        ['init', '--join', wrong],
        { code: 'INVITE_INVALID', names: [/invite/], hint: 'catalog1:' },
        { home }
      )
    expect(await readdir(net.folder)).not.toContain('invited')
  })
})

describe('the configuration', () => {
  it('with a typo, a bad value or no TOML, in file, environment and flags', async () => {
    const { root, config } = await net.home('configured')
    const at = { home: root }
    const before = await namesIn(root)
    await writeFile(config, '[store]\nqouta = "1GB"\n')
    await expectNoStart({ code: 'CONFIG_UNKNOWN_KEY', names: ['store.qouta', 'store.quota'] }, at)
    await writeFile(config, '[store]\nquota = "much"\n')
    await expectNoStart({ code: 'CONFIG_BAD_VALUE', names: ['store.quota', 'much'] }, at)
    await writeFile(config, '[store\nquota = 1\n')
    await expectNoStart({ code: 'CONFIG_SYNTAX', names: ['config.toml', /:1, column 7/] }, at)
    await writeFile(config, '')
    await expectNoStart(
      { code: 'CONFIG_BAD_VALUE', names: ['network.maxConnections', 'many'] },
      { ...at, env: { CATALOG_NETWORK_MAX_CONNECTIONS: 'many' } }
    )
    await expectNoStart(
      { code: 'CONFIG_UNKNOWN_KEY', names: ['CATALOG_STORE_QOUTA'] },
      { ...at, env: { CATALOG_STORE_QOUTA: '1GB' } }
    )
    await expectNoStart(
      { code: 'CONFIG_UNKNOWN_KEY', names: ['log.levle', 'log.level'] },
      at,
      '--set',
      'log.levle=debug'
    )
    expect(await namesIn(root), 'nothing was begun').toEqual(before)
  })

  it('of a running daemon stays what it was', async () => {
    const at = { home: daemon.home.root }
    const before = await readFile(daemon.home.config, 'utf8')
    await expectRefusal(
      ['config', 'set', 'store.qouta', '1GB'],
      { code: 'CONFIG_UNKNOWN_KEY', names: ['store.qouta', 'store.quota'] },
      at
    )
    await expectRefusal(
      ['config', 'set', 'store.quota', 'much'],
      { code: 'CONFIG_BAD_VALUE', names: ['store.quota', 'much'] },
      at
    )
    expect(await readFile(daemon.home.config, 'utf8')).toBe(before)
  })

  it('with an address to listen on that is taken', async () => {
    const taken = daemon.address.replace(/\/p2p\/.*/, '')
    const { root } = await net.home('deaf')
    await expectRefusal(
      ['daemon', '--no-mdns', '--listen', taken],
      { code: 'LISTEN_FAILED', names: [taken], hint: '--listen' },
      { home: root }
    )
  })
})

describe('a variable that is no setting', () => {
  it('is named on stderr when the daemon starts', async () => {
    const { root } = await net.home('warned')
    const taken = daemon.address.replace(/\/p2p\/.*/, '')
    const { stderr } = await runCli(['daemon', '--no-mdns', '--listen', taken], {
      home: root,
      env: { CATALOG_QUOTA: '5' }
    })
    expect(stderr.split('\n')[0]).toBe(
      'catalog: warning: CATALOG_QUOTA is no setting of Catalog and is ignored'
    )
  })
})

describe('the socket', () => {
  it('that another program answers on is left alone', async () => {
    const { root, socket } = await net.home('taken')
    const other = createServer(connection => connection.on('error', () => undefined).end('hello'))
    other.listen(socket)
    await once(other, 'listening')
    await expectNoStart({ code: 'SOCKET_IN_USE', names: [socket], hint: 'stop it' }, { home: root })
    // A command that speaks to it is told that this is no daemon.
    await expectRefusal(['status'], { code: 'NO_DAEMON', names: [socket] }, { home: root })
    expect(other.listening).toBe(true)
    other.close()
  })

  it('whose path holds a file is not removed; one of a dead daemon is', async () => {
    const { root, socket } = await net.home('filed')
    await writeFile(socket, 'mine')
    await expectNoStart({ code: 'SOCKET_IN_USE', names: [socket] }, { home: root })
    expect(await readFile(socket, 'utf8')).toBe('mine')
    await rm(socket)
    await (await net.start('filed')).kill()
    expect(await readdir(root)).toContain('admin.sock')
    await expectRefusal(
      ['status'],
      { code: 'NO_DAEMON', names: [socket], hint: 'catalog daemon' },
      { home: root }
    )
    await net.start('filed')
  })

  it('whose path is too long', async () => {
    const folder = await mkdtemp(join(tmpdir(), `catalog-${'long-'.repeat(20)}`))
    try {
      const home = join(folder, 'home')
      await cliOk(['init'], { home })
      const refusal = {
        code: 'SOCKET_PATH_TOO_LONG' as const,
        names: [home, '107'],
        hint: 'shorter path'
      }
      await expectNoStart(refusal, { home })
      await expectRefusal(['status'], refusal, { home })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('a key', () => {
  it('that is locked, missing, there already or no key', async () => {
    const { root: home } = await net.home('keys')
    const file = join(net.folder, 'folder-of-key')
    await mkdir(file)
    await writeFile(join(file, 'a.txt'), 'a')
    const passphrase = { CATALOG_PASSPHRASE: 'open sesame' }
    await cliOk(['key', 'create', 'sealed'], { home, env: passphrase })
    const publish = ['publish', file, '--name', 'x', '--version', '1.0.0', '--key']
    const locked = { code: 'KEY_LOCKED' as const, names: ['sealed'], hint: 'CATALOG_PASSPHRASE' }
    await expectRefusal([...publish, 'sealed'], locked, { home })
    await expectRefusal([...publish, 'sealed'], locked, { home, env: { CATALOG_PASSPHRASE: 'guess' } })
    await expectRefusal(
      [...publish, 'seald'],
      { code: 'KEY_NOT_FOUND', names: ['seald'], hint: 'catalog key list' },
      { home }
    )
    await expectRefusal(['key', 'create', 'sealed'], { code: 'KEY_EXISTS', names: ['sealed'] }, { home })
    await expectRefusal(['key', 'create', '../x'], { code: 'INVALID_ARGUMENT', names: [/\.\.\/x/] }, { home })
    await writeFile(join(net.folder, 'no.pem'), 'not a key')
    await expectRefusal(
      ['key', 'import', 'new', join(net.folder, 'no.pem')],
      { code: 'KEY_INVALID', names: [/./], hint: 'PEM' },
      { home }
    )
    const { keys } = (await cliOk(['key', 'list'], { home })) as { keys: Array<{ name: string }> }
    expect(keys.map(({ name }) => name).sort()).toEqual(['default', 'sealed'])
  })
})
