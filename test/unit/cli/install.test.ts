import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type http from 'node:http'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { file, type Item, tarOf, treeOf } from '../installer/support.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { type Answer, done, type FakeDaemon, failed, startFakeHome } from './support/fake-daemon.ts'

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

describe('install', () => {
  const ITEMS = [file('index.js', 'hello'), file('run.sh', '#!/bin/sh', 0o755)]
  let target: string
  let owner: string
  let pins: Map<string, string>
  beforeEach(() => {
    target = path.join(folder.folder, 'vendor')
    owner = 'z6MkOwner'
    pins = new Map()
    daemon.routes.set('POST /v1/fetches', ({ body }) => {
      const { spec } = JSON.parse(body.toString())
      return done('fetch', fetched(spec.replace(/(?<=.)@.*$/, '')))
    })
    daemon.routes.set('GET /v1/contents/*', () => tar(tarOf(ITEMS)))
    daemon.routes.set('GET /v1/pins/*', ({ url }) => {
      const pinned = pins.get(decodeURIComponent(url.pathname.slice('/v1/pins/'.length)))
      return pinned === undefined ? failed(404, 'NOT_FOUND', 'no pin') : { json: { owner: pinned } }
    })
    daemon.routes.set('PUT /v1/pins/*', ({ url, body }) => {
      pins.set(decodeURIComponent(url.pathname.slice('/v1/pins/'.length)), JSON.parse(body.toString()).owner)
      return { json: {} }
    })
  })

  const fetched = (name: string): Record<string, unknown> => ({
    id: `bafyrecord-${name}`,
    name,
    version: '1.0.0',
    content: 'bafycontent',
    sizeBytes: ITEMS.reduce((sum, item) => sum + (item.kind === 'file' ? item.sizeBytes : 0), 0),
    files: ITEMS.length,
    owner,
    status: 'published',
    dependencies: [
      { name: 'needed', range: '^1', kind: 'required' },
      { name: 'dev', range: '^1', kind: 'development' }
    ],
    unresolved: [
      { name: 'JSONStream', range: 'git+https://x.org/y.git', kind: 'required' },
      { name: 'Dev', range: 'file:../dev', kind: 'development' }
    ],
    bytesFetched: 10,
    bytesReused: 0,
    sources: [],
    tookMs: 1
  })

  /** A tar with its status in the trailer, as the daemon sends it. */
  const tar =
    (bytes: Buffer, status: string | null = 'ok'): Answer =>
    (response: http.ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/x-tar', trailer: 'x-catalog-status' })
      response.write(bytes)
      if (status !== null) response.addTrailers({ 'x-catalog-status': status })
      response.end()
    }

  it('writes the folder, the lock and the pin, and says what is not resolved', async () => {
    const result = await cli(['install', 'tool', '@acme/x', '--to', target, '--json'], { home })
    expect(result.status).toBe(0)
    expect(result.json()).toEqual({
      target,
      installed: [
        { name: 'tool', version: '1.0.0', id: 'bafyrecord-tool', path: path.join(target, 'tool') },
        { name: '@acme/x', version: '1.0.0', id: 'bafyrecord-@acme/x', path: path.join(target, '@acme/x') }
      ],
      bytesFetched: 20,
      ownersChanged: [],
      warnings: [],
      tookMs: expect.any(Number),
      unresolved: ['tool', '@acme/x'].flatMap(by => [
        { name: 'needed', range: '^1', kind: 'required', by },
        { name: 'JSONStream', range: 'git+https://x.org/y.git', kind: 'required', by }
      ])
    })
    expect(treeOf(path.join(target, '@acme/x'))).toEqual(treeOf(path.join(target, 'tool')))
    expect(pins).toEqual(
      new Map([
        ['tool', 'z6MkOwner'],
        ['@acme/x', 'z6MkOwner']
      ])
    )
    const lock = JSON.parse(readFileSync(path.join(target, 'catalog-lock.json'), 'utf8'))
    expect(lock.packages.tool).toEqual({
      version: '1.0.0',
      publisher: 'z6MkOwner',
      record: 'bafyrecord-tool',
      content: 'bafycontent',
      sizeBytes: 14,
      files: 2,
      dependencies: { needed: '^1' }
    })
    const text = await cli(['install', 'tool', '--to', target], { home })
    expect(text.stdout).toContain(`tool@1.0.0  ${path.join(target, 'tool')}`)
    expect(text.stderr).toMatch(/Dependencies are not resolved yet.*:\n {2}needed@\^1 \(for tool\)\n/)
  })

  it('--frozen installs what the lock says, and nothing else', async () => {
    await cli(['install', 'a', 'b', '--to', target], { home })
    const lock = path.join(target, 'catalog-lock.json')
    const { packages, lockVersion } = JSON.parse(readFileSync(lock, 'utf8'))
    writeFileSync(lock, JSON.stringify({ lockVersion, packages: { a: packages.a } }))
    const before = daemon.seen.length
    const result = await cli(['install', '--frozen', '--to', target, '--json'], { home })
    expect(result.json()).toMatchObject({ installed: [{ name: 'a' }] })
    expect(JSON.parse(daemon.seen[before]!.body.toString())).toEqual({
      spec: 'a@1.0.0',
      publisher: 'z6MkOwner',
      content: 'bafycontent'
    })
    expect(readdirSync(target).sort()).toEqual(['.catalog', 'a', 'catalog-lock.json'])
  })

  it('--frozen takes newer words for the locked content, and leaves the lock as it is', async () => {
    await cli(['install', 'tool', '--to', target], { home })
    const lock = path.join(target, 'catalog-lock.json')
    const before = readFileSync(lock, 'utf8')
    const newer = { ...fetched('tool'), id: 'bafyrecord-newer', status: 'yanked', reason: 'leaks' }
    daemon.routes.set('POST /v1/fetches', () => done('fetch', newer))
    const result = await cli(['install', '--frozen', '--to', target], { home })
    expect(result.status).toBe(0)
    expect(result.stderr).toContain('catalog: warning: tool@1.0.0 is yanked: leaks')
    expect(readFileSync(lock, 'utf8')).toBe(before)
    const told = await cli(['install', '--frozen', '--to', target, '--json'], { home })
    expect(told.json()).toMatchObject({ warnings: [{ name: 'tool', status: 'yanked', reason: 'leaks' }] })
  })

  it('--frozen refuses a lock that its records contradict, and a missing one', async () => {
    await cli(['install', 'a', '--to', target], { home })
    const before = treeOf(target)
    const lock = path.join(target, 'catalog-lock.json')
    const text = readFileSync(lock, 'utf8')
    for (const [from, to] of [
      ['"1.0.0"', '"1.0.1"'],
      ['bafycontent', 'bafyother'],
      ['z6MkOwner', 'z6MkOther']
    ] as const) {
      writeFileSync(lock, text.replace(from, to))
      const result = await cli(['install', '--frozen', '--to', target, '--json'], { home })
      expect([result.status, (result.json().error as { code: string }).code]).toEqual([8, 'LOCK_INVALID'])
    }
    writeFileSync(lock, text)
    expect(treeOf(target)).toEqual(before)
    const empty = path.join(folder.folder, 'empty')
    const missing = await cli(['install', '--frozen', '--to', empty, '--json'], { home })
    expect([missing.status, (missing.json().error as { code: string }).code]).toEqual([3, 'NOT_FOUND'])
    expect(existsSync(empty)).toBe(false)
  })

  it('--frozen says of what the daemon cannot read that it stands in the lock file', async () => {
    await cli(['install', 'a', '--to', target], { home })
    daemon.routes.set('POST /v1/fetches', () => failed(400, 'KEY_INVALID', 'this is no key'))
    const result = await cli(['install', '--frozen', '--to', target, '--json'], { home })
    expect(result.status).toBe(8)
    expect(result.json().error).toMatchObject({
      code: 'LOCK_INVALID',
      message: 'the lock has something wrong for a: this is no key'
    })
  })

  it('says to whom it pins a name first, and pins nothing when the install fails', async () => {
    daemon.routes.set('GET /v1/contents/*', () => tar(tarOf(ITEMS), null))
    expect((await cli(['install', 'tool', '--to', target], { home })).status).not.toBe(0)
    mkdirSync(path.join(target, 'tool'), { recursive: true })
    writeFileSync(path.join(target, 'tool', 'mine'), '')
    daemon.routes.set('GET /v1/contents/*', () => tar(tarOf(ITEMS)))
    expect((await cli(['install', 'tool', '--to', target], { home })).status).not.toBe(0)
    expect(pins).toEqual(new Map())

    const other = path.join(folder.folder, 'other')
    const first = await cli(['install', 'tool', '--to', other], { home })
    expect(first.stderr).toContain('tool is now pinned to its publisher z6MkOwner.')
    expect((await cli(['install', 'tool', '--to', other], { home })).stderr).not.toContain('pinned')
  })

  it('--frozen follows the lock rather than the pin, says so, and leaves the pin', async () => {
    await cli(['install', 'tool', '--to', target], { home })
    pins.set('tool', 'z6MkFirst')
    const result = await cli(['install', '--frozen', '--to', target], { home })
    expect(result.status).toBe(0)
    expect(result.stderr).toContain('tool is of z6MkOwner, as the lock file says, though z6MkFirst is pinned')
    expect(pins.get('tool')).toBe('z6MkFirst')
  })

  it('refuses another owner than the pinned one, exit 5, unless told whose name is meant', async () => {
    pins.set('tool', 'z6MkFirst')
    const refused = await cli(['install', 'tool', '--to', target, '--json'], { home })
    expect([refused.status, (refused.json().error as { code: string }).code]).toEqual([5, 'OWNER_CHANGED'])
    expect(existsSync(target)).toBe(false)
    const told = await cli(['install', 'tool', '--to', target, '--publisher', owner, '--json'], { home })
    expect(told.status).toBe(0)
    expect(told.json().ownersChanged).toEqual([{ name: 'tool', from: 'z6MkFirst', to: owner }])
    expect(told.stderr).toContain(`owner of tool changed from z6MkFirst to ${owner}`)
    expect(pins.get('tool')).toBe(owner)
  })

  it('refuses a name that the folder has from another owner, exit 8, unless told whose is meant', async () => {
    await cli(['install', 'tool', '--to', target], { home })
    pins.clear()
    owner = 'z6MkOther'
    const lock = readFileSync(path.join(target, 'catalog-lock.json'), 'utf8')
    const refused = await cli(['install', 'tool', '--to', target, '--json'], { home })
    expect(refused.status).toBe(8)
    expect(refused.json().error).toMatchObject({
      code: 'OWNER_CONFLICT',
      hint: expect.stringContaining('--publisher KEY'),
      details: { name: 'tool', locked: 'z6MkOwner', owner }
    })
    expect([readFileSync(path.join(target, 'catalog-lock.json'), 'utf8'), pins.size]).toEqual([lock, 0])
    const result = await cli(['install', 'tool', '--to', target, '--publisher', owner], { home })
    expect(result.status).toBe(0)
    expect(result.stderr).toContain('owner of tool changed from z6MkOwner to z6MkOther')
    expect(pins.get('tool')).toBe(owner)
  })

  it.each<[string, () => Answer, string]>([
    ['ends without its status', () => tar(tarOf(ITEMS), null), 'STREAM_TRUNCATED'],
    [
      'ends with an error',
      () => tar(tarOf(ITEMS), JSON.stringify({ code: 'CONTENT_CORRUPT', message: 'bad block', hint: '' })),
      'CONTENT_CORRUPT'
    ],
    ['is cut', () => tar(tarOf(ITEMS).subarray(0, 700)), 'STREAM_TRUNCATED'],
    ['lacks a file', () => tar(tarOf(ITEMS.slice(1) as Item[])), 'CONTENT_CORRUPT'],
    ['climbs out', () => tar(tarOf([file('../evil', 'hello'), ...ITEMS.slice(1)])), 'PATH_REFUSED'],
    ['is no tar', () => tar(Buffer.alloc(4096, 'x')), 'CONTENT_INVALID'],
    ['is not to be had', () => failed(404, 'CONTENT_MISSING', 'gone'), 'CONTENT_MISSING']
  ])('leaves nothing behind when the stream %s', async (_, answer, code) => {
    daemon.routes.set('GET /v1/contents/*', answer)
    const result = await cli(['install', 'tool', '--to', target, '--json'], { home })
    expect(result.json().error).toMatchObject({ code })
    expect(result.status).not.toBe(0)
    expect(existsSync(target)).toBe(false)
    expect(existsSync(path.join(folder.folder, 'evil'))).toBe(false)
  })

  it('cancelled in the middle leaves the old version', async () => {
    await cli(['install', 'tool', '--to', target], { home })
    const before = treeOf(target)
    const controller = new AbortController()
    daemon.routes.set('GET /v1/contents/*', () => response => {
      response.writeHead(200)
      response.write(tarOf(ITEMS).subarray(0, 1024), () => controller.abort())
    })
    const result = await cli(['install', 'tool', '--to', target, '--json'], {
      home,
      signal: controller.signal
    })
    expect([result.status, (result.json().error as { code: string }).code]).toEqual([1, 'ABORTED'])
    expect(treeOf(target)).toEqual(before)
  })
})
