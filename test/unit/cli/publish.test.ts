import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeRelease } from '../../../library/index.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { writeTree } from '../installer/support.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { done, type FakeDaemon, failed, startFakeHome } from './support/fake-daemon.ts'

const CONTENT = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
let folder: ReturnType<typeof temporaryFolder>
let home: string
let daemon: FakeDaemon
beforeEach(async () => {
  folder = temporaryFolder()
  daemon = await startFakeHome(folder.folder)
  home = daemon.home
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

describe('publish', () => {
  let source: string
  beforeEach(async () => {
    source = path.join(folder.folder, 'source')
    writeTree(source, {
      'package.json': JSON.stringify({
        name: '@acme/tool',
        version: '1.2.3',
        description: 'A tool',
        license: 'MIT',
        keywords: ['x'],
        author: { name: 'Ann', email: 'ann@example.org' },
        repository: 'acme/tool',
        main: './index.js',
        dependencies: { a: '^1.0.0', b: 'file:../b', JSONStream: '^1.3.5' },
        peerDependencies: { c: '>=2' },
        engines: { node: '>=20' }
      }),
      'index.js': 'hello'
    })
    await cli(['key', 'create', 'default', '--no-passphrase'], { home })
    daemon.routes.set('POST /v1/ingests', () => ({
      status: 201,
      json: { content: CONTENT, sizeBytes: 5, files: 2, newBytes: 5 }
    }))
    daemon.routes.set('POST /v1/packages', ({ body }) => {
      const { release, id } = decodeRelease(
        new Uint8Array(Buffer.from(JSON.parse(body.toString()).record, 'base64'))
      )
      const { name, version, sizeBytes, files } = release
      return done('publish', {
        name,
        version,
        id: id.toString(),
        content: CONTENT,
        sizeBytes,
        files,
        library: 'home',
        access: 'public',
        announcedTo: 2
      })
    })
  })

  it('uploads the folder, signs the record with the keyring and sends it', async () => {
    const result = await cli(
      ['publish', source, '--json', '--wait', '2', '--tag', 'y', '--type', 'library'],
      { home }
    )
    expect(result.json()).toEqual({
      name: '@acme/tool',
      version: '1.2.3',
      id: expect.stringMatching(/^bafy/),
      content: CONTENT,
      sizeBytes: 5,
      files: 2,
      newBytes: 5,
      library: 'home',
      access: 'public',
      announcedTo: 2,
      warnings: [expect.stringContaining('b@file:../b'), expect.stringContaining('JSONStream@^1.3.5')]
    })
    expect(result.status).toBe(0)
    expect(result.stderr).toContain(
      'the required dependency b@file:../b is no name with a range: it is recorded as'
    )
    const [ingest, publish] = daemon.seen
    expect(ingest?.headers['content-type']).toBe('application/x-tar')
    expect(ingest?.body.includes('index.js')).toBe(true)
    const { record, wait } = JSON.parse(publish!.body.toString())
    expect(wait).toBe(2)
    const { release } = decodeRelease(new Uint8Array(Buffer.from(record, 'base64')))
    expect(release).toMatchObject({
      type: 'library',
      description: 'A tool',
      licence: 'MIT',
      keywords: ['x', 'y'],
      authors: ['Ann <ann@example.org>'],
      links: { repository: 'https://github.com/acme/tool' },
      entryPoint: 'index.js',
      requirements: { node: '>=20' },
      dependencies: [
        { name: 'a', range: '^1.0.0', kind: 'required' },
        { name: 'c', range: '>=2', kind: 'peer' }
      ],
      extensions: { npmDependencies: { required: { b: 'file:../b', JSONStream: '^1.3.5' } } }
    })
    const keys = (await cli(['key', 'list', '--json'], { home })).json().keys as Array<{ publicKey: string }>
    expect(formatPublicKey(release.owner)).toBe(keys[0]?.publicKey)
  })

  it('reads catalog-package.toml first, and refuses a field that it does not know', async () => {
    writeTree(source, {
      'catalog-package.toml': 'name = "mine"\nversion = "2.0.0"\n[buildDependencies]\nmake = "^4"\n'
    })
    expect((await cli(['publish', source, '--json'], { home })).json()).toMatchObject({
      name: 'mine',
      version: '2.0.0'
    })
    writeTree(source, { 'catalog-package.toml': 'nam = "mine"\n' })
    const result = await cli(['publish', source], { home })
    expect(result.status).toBe(2)
    expect(result.stderr).toContain('unknown field "nam"')
  })

  it('--dry-run lists what would be published and asks nobody', async () => {
    const result = await cli(['publish', source, '--dry-run', '--json', '--quiet'], { home })
    expect(result.json()).toMatchObject({
      name: '@acme/tool',
      files: 2,
      entries: [
        { path: 'index.js', kind: 'file', sizeBytes: 5 },
        { path: 'package.json', kind: 'file' }
      ]
    })
    expect(daemon.seen).toEqual([])
  })

  it.each([
    ['a bad name', ['--name', 'UP'], 2, 'NAME_INVALID'],
    ['a name that climbs', ['--name', '../x'], 2, 'NAME_INVALID'],
    ['a bad version', ['--version', 'v1'], 2, 'VERSION_INVALID'],
    ['an unknown key', ['--key', 'nobody'], 3, 'KEY_NOT_FOUND'],
    ['a description that is too long', ['--description', 'x'.repeat(5000)], 2, 'INVALID_ARGUMENT']
  ])('%s is refused before anything is sent', async (_, flags, status, code) => {
    const result = await cli(['publish', source, '--json', ...flags], { home })
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([status, code])
    expect(daemon.seen).toEqual([])
  })

  it('that says more than a record holds is refused before anything is sent', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `k${i} = "${'x'.repeat(1000)}"`)
    const head = 'name = "large"\nversion = "1.0.0"\n[extensions]\n'
    writeTree(source, { 'catalog-package.toml': `${head}${lines.join('\n')}\n` })
    for (const flags of [[], ['--dry-run']]) {
      const result = await cli(['publish', source, '--json', ...flags], { home })
      expect([result.status, (result.json().error as { code: string }).code]).toEqual([5, 'RECORD_TOO_LARGE'])
    }
    expect(daemon.seen).toEqual([])
  })

  it('without a name says where to put one', async () => {
    writeTree(source, { 'package.json': '{"version":"1.0.0"}' })
    const { status, stderr } = await cli(['publish', source], { home })
    expect(status).toBe(2)
    expect(stderr).toContain('the release has no name; give --name, or write it into catalog-package.toml')
  })

  it('with a file that changes while it is sent publishes nothing, exit 8', async () => {
    daemon.routes.set('POST /v1/ingests', () => {
      writeFileSync(path.join(source, 'index.js'), 'changed!')
      return { status: 201, json: { content: CONTENT, sizeBytes: 5, files: 2, newBytes: 5 } }
    })
    const result = await cli(['publish', source, '--json'], { home })
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([8, 'SOURCE_CHANGED'])
    expect(daemon.seen.map(({ url }) => url.pathname)).toEqual(['/v1/ingests'])
  })

  it('for which there is no room is sent again, and room made for it', async () => {
    const asked: Array<string | null> = []
    daemon.routes.set('POST /v1/ingests', ({ url }) => {
      asked.push(url.searchParams.get('roomFor'))
      return asked.length === 1
        ? failed(507, 'QUOTA_EXCEEDED', 'the store is full')
        : { status: 201, json: { content: CONTENT, sizeBytes: 5, files: 2, newBytes: 5 } }
    })
    expect((await cli(['publish', source], { home })).status).toBe(0)
    expect(asked).toEqual([null, expect.stringMatching(/^[1-9][0-9]*$/)])
    daemon.routes.set('POST /v1/ingests', () => failed(507, 'QUOTA_EXCEEDED', 'nothing more can be freed'))
    const { status, stderr } = await cli(['publish', source], { home })
    expect(status).toBe(1)
    expect(stderr).toContain('nothing more can be freed')
  })

  it('that the daemon refuses half-way shows why', async () => {
    daemon.routes.set('POST /v1/ingests', () => failed(507, 'DISK_FULL', 'no space left'))
    const { status, stderr } = await cli(['publish', source], { home })
    expect(status).toBe(1)
    expect(stderr).toContain('DISK_FULL: no space left')
  })

  it('with an encrypted key takes the passphrase from the environment only when it is right', async () => {
    await cli(['key', 'create', 'safe'], { home, env: { CATALOG_PASSPHRASE: 'right' } })
    const publish = (passphrase: string | undefined): Promise<{ status: number; stderr: string }> =>
      cli(['publish', source, '--key', 'safe'], {
        home,
        env: passphrase === undefined ? {} : { CATALOG_PASSPHRASE: passphrase }
      })
    expect(await publish(undefined)).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('KEY_LOCKED')
    })
    expect(await publish('wrong')).toMatchObject({ status: 4, stderr: expect.stringContaining('KEY_LOCKED') })
    expect(await publish('right')).toMatchObject({ status: 0 })
  })
})
