import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

let folder: ReturnType<typeof temporaryFolder>
let home: string
beforeEach(() => {
  folder = temporaryFolder()
  home = path.join(folder.folder, 'home')
})
afterEach(() => folder.remove())

const init = (...flags: string[]): ReturnType<typeof cli> => cli(['init', '--json', ...flags], { home })

describe('init', () => {
  it('makes a private home with two keys, and refuses to do so twice', async () => {
    const made = await init()
    expect(made.status).toBe(0)
    expect(made.json()).toEqual({
      home,
      peerId: expect.stringMatching(/^12D3KooW/),
      publisher: expect.stringMatching(/^z6Mk/),
      config: path.join(home, 'config.toml')
    })
    expect(statSync(home).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(home, 'node.key')).mode & 0o777).toBe(0o600)
    const before = readFileSync(path.join(home, 'node.key'))
    const again = await init()
    expect([again.status, (again.json().error as { code: string }).code]).toEqual([8, 'HOME_EXISTS'])
    expect(readFileSync(path.join(home, 'node.key'))).toEqual(before)
  })

  it('says what comes next, in words', async () => {
    expect((await cli(['init'], { home })).stderr).toContain('catalog daemon')
  })

  it('refuses a bad invite before anything is written', async () => {
    const result = await init('--join', 'catalog1:nonsense')
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([2, 'INVITE_INVALID'])
    expect(existsSync(home)).toBe(false)
  })
})

describe('key', () => {
  beforeEach(() => init().then(() => undefined))

  it('lists, makes, exports and imports', async () => {
    const made = await cli(['key', 'create', 'work', '--default', '--json'], { home })
    expect(made.json()).toEqual({
      name: 'work',
      publicKey: expect.stringMatching(/^z6Mk/),
      createdAt: expect.any(String),
      encrypted: false,
      default: true
    })
    const list = (await cli(['key', 'list', '--json'], { home })).json().keys as Array<{
      name: string
      default: boolean
    }>
    expect(list.map(({ name, default: isDefault }) => [name, isDefault])).toEqual([
      ['default', false],
      ['work', true]
    ])
    const file = path.join(folder.folder, 'work.pem')
    const exported = await cli(['key', 'export', '--private', '--out', file, '--json'], { home })
    expect(exported.json()).toMatchObject({ name: 'work', file })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await cli(['key', 'export', '--private', '--out', file], { home })).status).toBe(2)
    const imported = await cli(['key', 'import', 'copy', file, '--json'], { home })
    expect(imported.json().publicKey).toBe(made.json().publicKey)
    const shown = await cli(['key', 'export', 'work'], { home })
    expect(shown.stdout).toContain('BEGIN PUBLIC KEY')
    expect(shown.stdout).not.toContain('PRIVATE')
  })

  it.each([
    ['a name that is taken', ['key', 'create', 'default'], 8, 'KEY_EXISTS'],
    ['an unknown key', ['key', 'export', 'nobody'], 3, 'KEY_NOT_FOUND'],
    ['a file that is no key', ['key', 'import', 'x', '/etc/hostname'], 2, 'KEY_INVALID'],
    ['a file that is not there', ['key', 'import', 'x', '/nonexistent'], 3, 'NOT_FOUND'],
    ['a file that is a folder', ['key', 'import', 'x', '/'], 2, 'INVALID_ARGUMENT'],
    ['a file in no folder', ['key', 'export', '--out', '/nonexistent/x'], 1, 'DISK_IO']
  ])('refuses %s', async (_, argv, status, code) => {
    const result = await cli([...argv, '--json'], { home })
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([status, code])
  })

  it('without a home says so', async () => {
    const result = await cli(['key', 'list', '--json'], { home: path.join(folder.folder, 'other') })
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([3, 'HOME_MISSING'])
  })
})

describe('config', () => {
  it('validate shows every problem as its result and exits 2', async () => {
    const file = path.join(folder.folder, 'c.toml')
    writeFileSync(file, '[store]\nquoat = "1GiB"\n[network]\nmaxConnections = -1\n')
    const bad = await cli(['config', 'validate', file, '--json'], { home })
    expect(bad.status).toBe(2)
    expect(bad.json()).toMatchObject({
      ok: false,
      errors: [{ code: 'CONFIG_UNKNOWN_KEY', nearest: 'store.quota' }, { code: 'CONFIG_BAD_VALUE' }]
    })
    writeFileSync(file, '[store]\nquota = "1GiB"\n')
    const good = await cli(['config', 'validate', file, '--json'], { home })
    expect([good.status, good.json().ok]).toEqual([0, true])
    const missing = await cli(['config', 'validate', '/nonexistent'], { home })
    expect(missing.status).toBe(3)
    expect(missing.stderr).toContain('a file that this user may read')
  })

  it.each([['restore'], ['bundle verify'], ['bundle import'], ['config validate']])(
    '%s says of a file whether it is not there or no file',
    async words => {
      const codeOf = async (file: string) => {
        const { status, json } = await cli([...words.split(' '), file, '--json'], { home })
        return [status, (json().error as { code: string }).code]
      }
      expect(await codeOf('/nonexistent')).toEqual([3, 'NOT_FOUND'])
      expect(await codeOf('/')).toEqual([2, 'INVALID_ARGUMENT'])
    }
  )

  it('validate finds what is written like a key or a peer id and is none', async () => {
    const file = path.join(folder.folder, 'c.toml')
    const peer = '12D3KooWJnVWq3Nzgkr5j5wmRXdZeCaSt6D1JMVUhHyuBUXAKwPZ'
    const [noKey, noPeer] = [`z6Mk${'z'.repeat(44)}`, `12D3KooW${'z'.repeat(44)}`]
    const follow = [peer, `${peer} all publisher:${noKey}`, noPeer]
    const priority = ['tag:ci', `publisher:${noKey}`]
    const bootstrap = [`/dns/example.org/tcp/4747/p2p/${noPeer}`]
    writeFileSync(
      file,
      `[network]\nbootstrap = ${JSON.stringify(bootstrap)}\n[sync]\nfollow = ${JSON.stringify(follow)}\npriority = ${JSON.stringify(priority)}\n`
    )
    const bad = await cli(['config', 'validate', file, '--json'], { home })
    expect(bad.status).toBe(2)
    const code = 'CONFIG_BAD_VALUE'
    expect(bad.json().errors).toMatchObject([
      { code, key: 'network.bootstrap', origin: `file:${file}:2`, value: bootstrap[0] },
      { code, key: 'sync.follow', origin: `file:${file}:4`, value: follow[1] },
      { code, key: 'sync.follow', origin: `file:${file}:4`, value: noPeer },
      { code, key: 'sync.priority', origin: `file:${file}:5`, value: priority[1] }
    ])
    const { stdout } = await cli(['config', 'validate', file], { home })
    expect(stdout).toContain(`sync.priority has '${priority[1]}' (file:${file}:5): "${noKey}" is not an`)
  })

  it('validate without a file, and doctor, look at the environment too', async () => {
    await init()
    const typo = { CATALOG_STORE_QOUTA: '1GiB' }
    const wrong = await cli(['config', 'validate', '--json'], { home, env: typo })
    expect([wrong.status, wrong.json().errors]).toMatchObject([2, [{ nearest: 'CATALOG_STORE_QUOTA' }]])
    const strange = { CATALOG_QUOTA: '1GiB' }
    const validated = await cli(['config', 'validate', '--json'], { home, env: strange })
    expect([validated.status, validated.json().warnings]).toMatchObject([
      0,
      [expect.stringContaining('CATALOG_QUOTA is no setting')]
    ])
    const { checks } = (await cli(['doctor', '--json'], { home, env: strange })).json()
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'config',
        level: 'warn',
        message: expect.stringContaining('CATALOG_QUOTA')
      })
    )
    const file = path.join(home, 'config.toml')
    expect((await cli(['config', 'validate', file], { home, env: typo })).status).toBe(0)
  })

  it('docs names every key', async () => {
    const keys = (await cli(['config', 'docs', '--json'], { home })).json().keys as Array<{ key: string }>
    expect(keys.map(({ key }) => key)).toContain('store.quota')
    expect((await cli(['config', 'docs'], { home })).stdout).toContain('store.quota')
  })

  it('may move the socket, and the command line follows', async () => {
    await init()
    const elsewhere = path.join(folder.folder, 'run')
    execFileSync('mkdir', [elsewhere])
    const daemon: FakeDaemon = await startFakeDaemon(elsewhere)
    daemon.routes.set('POST /v1/pause', () => ({ json: { state: 'paused' } }))
    const socket = path.join(elsewhere, 'admin.sock')
    expect((await cli(['pause'], { home, env: { CATALOG_ADMIN_SOCKET: socket } })).stdout).toBe('paused\n')
    for (const text of [
      `[admin]\nsocket = "${socket}"`,
      `admin.socket = "${socket}"`,
      `admin = { socket = "${socket}" }`,
      `["admin"]\n"socket"="${socket}"`
    ]) {
      writeFileSync(path.join(home, 'config.toml'), `${text}\n`)
      expect([text, (await cli(['pause'], { home })).stdout]).toEqual([text, 'paused\n'])
    }
    await daemon.close()
  })

  it('that is a folder is no mistake of the program', async () => {
    await init()
    const file = path.join(home, 'config.toml')
    rmSync(file)
    mkdirSync(file)
    const { status, stderr } = await cli(['status'], { home })
    expect([status, stderr]).toEqual([2, expect.stringContaining(`CONFIG_SYNTAX: ${file} is a folder`)])
  })
})

describe('doctor', () => {
  const levels = (document: Record<string, unknown>): Map<string, string> =>
    new Map(
      (document.checks as Array<{ name: string; level: string }>).map(({ name, level }) => [name, level])
    )

  it('without a home says to make one, exit 1', async () => {
    const result = await cli(['doctor', '--json'], { home })
    expect(result.status).toBe(1)
    expect(levels(result.json()).get('home')).toBe('error')
  })

  it('without a daemon checks what it can, and finds a key that others can read', async () => {
    await init()
    writeFileSync(path.join(home, 'config.toml'), '[network]\nlisten = ["/ip4/127.0.0.1/udp/0/quic-v1"]\n')
    const good = await cli(['doctor', '--json'], { home })
    expect(good.status).toBe(0)
    expect(levels(good.json()).get('daemon')).toBe('warn')
    expect(levels(good.json()).get('port /ip4/127.0.0.1/udp/0/quic-v1')).toBe('ok')
    for (const name of ['node', 'keys', 'disk', 'clock', 'store', 'backup'])
      expect(levels(good.json()).get(name)).toBe('ok')
    chmodSync(path.join(home, 'node.key'), 0o644)
    const bad = await cli(['doctor'], { home })
    expect(bad.status).toBe(1)
    expect(bad.stdout).toContain('FAIL  permissions')
    expect(bad.stdout).toContain('chmod go-rwx')
  })

  it('says of a home of an earlier format what the next start does to it', async () => {
    await init()
    expect(levels((await cli(['doctor', '--json'], { home })).json()).has('format')).toBe(false)
    writeFileSync(path.join(home, 'FORMAT'), '2\n')
    const { status, stdout } = await cli(['doctor'], { home })
    expect(status).toBe(0)
    expect(stdout).toMatch(/warn {2}format: format 2: .* Merkle tree.*\n.*catalog backup/)
  })

  it('does not call a home of a newer version good', async () => {
    await init()
    writeFileSync(path.join(home, 'FORMAT'), '99\n')
    const { status, stdout } = await cli(['doctor'], { home })
    expect(status).toBe(1)
    expect(stdout).toMatch(/FAIL {2}home: .* has format 99.*\n.*upgrade Catalog/)
  })

  it('writes no key into it either', async () => {
    await init()
    writeFileSync(path.join(home, 'FORMAT'), '99\n')
    const { status, stderr } = await cli(['key', 'create', 'second'], { home })
    expect(status).not.toBe(0)
    expect(stderr).toContain('FORMAT_TOO_NEW')
    expect(existsSync(path.join(home, 'keyring', 'second.key'))).toBe(false)
  })

  it('with a daemon shows its checks as well', async () => {
    await init()
    const daemon = await startFakeDaemon(home)
    daemon.routes.set('GET /v1/doctor', () => ({
      json: { checks: [{ name: 'clock', ok: false, level: 'warn', message: 'late', hint: 'set it' }] }
    }))
    const result = await cli(['doctor', '--json'], { home })
    expect(Object.fromEntries(levels(result.json()))).toEqual({
      home: 'ok',
      config: 'ok',
      daemon: 'ok',
      clock: 'warn'
    })
    await daemon.close()
  })
})

describe('a result that the disk does not take', () => {
  it('is a failure, and that nobody reads it any more is none', () => {
    const catalog = `'${process.execPath}' '${path.resolve(import.meta.dirname, '../../../cli/main.ts')}'`
    const through = (shell: string) =>
      spawnSync('bash', ['-o', 'pipefail', '-c', shell], { encoding: 'utf8' })
    expect(through(`${catalog} completion bash > /dev/full`)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^catalog: DISK_FULL: .*\n$/)
    })
    expect(through(`${catalog} completion bash | true`)).toMatchObject({ status: 0, stderr: '' })
  })
})

describe('completion', () => {
  const script = async (shell: string): Promise<string> => (await cli(['completion', shell], { home })).stdout

  it.each<[string, string[]]>([
    ['catalog pub', ['publish']],
    ['catalog key ', ['list', 'create', 'import', 'export']],
    ['catalog install --fr', ['--frozen']],
    ['catalog log --set-level ', ['trace', 'debug', 'info', 'warn', 'error']],
    ['catalog --home /tmp completion ', ['bash', 'zsh', 'fish']]
  ])('of bash completes `%s`', async (line, expected) => {
    const words = line.split(' ')
    const { stdout, status } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `${await script('bash')}\nCOMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _catalog; printf '%s\\n' "\${COMPREPLY[@]}"`
      ],
      { encoding: 'utf8' }
    )
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(expected))
    if (!line.endsWith(' ')) expect(stdout.trim().split('\n')).toEqual(expected)
  })

  it.each([['catalog publish '], ['catalog install x --to ']])(
    'of bash takes a name with spaces for one: `%s`',
    async line => {
      for (const name of ['my folder', 'other']) mkdirSync(path.join(folder.folder, name))
      const words = [...line.trim().split(' '), '']
      const { stdout } = spawnSync(
        'bash',
        [
          '--norc',
          '-c',
          `${await script('bash')}\nCOMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _catalog; printf '%s\\n' "\${COMPREPLY[@]}"`
        ],
        { encoding: 'utf8', cwd: folder.folder }
      )
      expect(stdout.split('\n')).toEqual(expect.arrayContaining(['my folder', 'other']))
    }
  )

  it('is a script for each shell, and one document with --json', async () => {
    expect(await script('zsh')).toMatch(/^#compdef catalog/)
    expect(await script('fish')).toContain('complete -c catalog -n __fish_use_subcommand -a publish')
    expect((await cli(['completion', 'fish', '--json'], { home })).json()).toMatchObject({ shell: 'fish' })
  })
})
