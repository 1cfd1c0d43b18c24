import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../../config/index.ts'
import { createLogging } from '../../../node/logging/logging.ts'
import { createConfigService } from '../../../node/services/config.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import type { ThrottleOptions } from '../../../protocols/index.ts'
import { keyOf } from '../records/examples.ts'

let folder: string
let file: string
/** What the throttle was told. */
let configured: ThrottleOptions[]
/** What is followed, as it was put in force. */
let followed: Array<readonly string[]>
let tuned: boolean[]
beforeEach(async () => {
  configured = []
  followed = []
  tuned = []
  folder = await mkdtemp(join(tmpdir(), 'catalog-config-'))
  file = join(folder, 'config.toml')
  await writeFile(file, '# mine\n')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function service(env: Record<string, string> = {}) {
  const sink = { write: () => {}, close: async () => {} }
  const logging = createLogging({ sink }, { level: 'info' })
  const reload = (text?: string) => loadConfig({ file, env, ...(text === undefined ? {} : { text }) })
  const throttle = { configure: (options: ThrottleOptions) => configured.push(options) }
  const follow = async (lines: readonly string[]) => void followed.push(lines)
  const tune = (isOn: boolean): void => void tuned.push(isOn)
  return createConfigService({ loaded: reload(), reload, logging, throttle, follow, tune }, { file })
}

it('shows what is in force, and beside it what the next start will make of a change', async () => {
  const config = service()
  const row = (key: string) => config.show().values.find(value => value.key === key)
  expect(await config.set('store.quota', '5GB')).toMatchObject({ value: '5GB', restartNeeded: true })
  expect(row('store.quota')).toMatchObject({ value: '100GB', origin: 'default', pending: '5GB' })
  expect(row('network.id')).not.toHaveProperty('pending')
  expect(await config.set('log.level', 'debug')).toMatchObject({ restartNeeded: false })
  expect(row('log.level')).toMatchObject({ value: 'debug', origin: expect.stringMatching(/^file:/) })
  expect(row('log.level')).not.toHaveProperty('pending')
  await config.set('store.quota', '100GB')
  expect(row('store.quota')).not.toHaveProperty('pending')
})

it('warns of a file that the next start would refuse', async () => {
  const config = service()
  await writeFile(file, '[store]\nquta = "5GB"\n')
  expect(config.show().warnings).toEqual([
    expect.stringMatching(/^the next start will fail: CONFIG_UNKNOWN_KEY/)
  ])
})

it('puts limits in force at once, one at a time', async () => {
  const config = service()
  const row = (key: string) => config.show().values.find(value => value.key === key)
  // Changed by hand: it waits for the next start.
  await writeFile(file, '[limits]\ndown = "7MB/s"\n')
  expect(await config.set('limits.up', '3MB/s')).toMatchObject({ value: '3MB/s', restartNeeded: false })
  expect(configured).toMatchObject([{ total: { up: 3_000_000, down: 0 } }])
  expect(row('limits.up')).toMatchObject({ value: '3MB/s', origin: expect.stringMatching(/^file:/) })
  expect(row('limits.up')).not.toHaveProperty('pending')
  expect(row('limits.down')).toMatchObject({ value: '0', pending: '7MB/s' })
  await config.set('limits.windows', '08:00-18:00 5MB/s')
  expect(configured[1]).toMatchObject({ total: { up: 3_000_000, down: 0 }, windows: [{ fromMinute: 480 }] })
})

it('writes no limit that could not be put in force', async () => {
  const config = service()
  await expect(config.set('limits.windows', '08:00-18:00 5B')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT'
  })
  await expect(config.set('limits.upp', '5MB')).rejects.toMatchObject({ code: 'CONFIG_UNKNOWN_KEY' })
  expect(await readFile(file, 'utf8')).toBe('# mine\n')
  expect(configured).toEqual([])
})

/** Written like keys, and none. */
const NO_KEY = `z6Mk${'z'.repeat(44)}`
const NO_PEER = `12D3KooW${'z'.repeat(44)}`

it.each<[string, string, RegExp]>([
  ['store.backend', 's3', /^2 problems: store.s3.endpoint is not set, and store.backend is s3/],
  ['sync.priority', `tag:a,publisher:${NO_KEY}`, /^sync.priority has 'publisher:z6Mkz+' \(new value\): /],
  ['sync.follow', NO_PEER, /^sync.follow has '12D3KooWz+' \(new value\): /],
  ['network.bootstrap', `/ip4/192.0.2.7/udp/4747/quic-v1/p2p/${NO_PEER}`, /^network.bootstrap has /]
])('writes no %s that the next start would refuse', async (key, value, message) => {
  const before = '# mine\n[store]\nquota = "5GB"\n'
  await writeFile(file, before)
  for (const env of [undefined, { CATALOG_SYNC_PRIORITY: 'tag:b', CATALOG_SYNC_FOLLOW: '' }]) {
    const refused = service(env).set(key, value)
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_BAD_VALUE',
      message: expect.stringMatching(message)
    })
    expect(await readFile(file, 'utf8')).toBe(before)
  }
})

it('has a bucket set up in the order in which each step is whole', async () => {
  const config = service()
  await config.set('store.s3.endpoint', 'https://s3.example.org')
  await config.set('store.s3.bucket', 'segments')
  expect(await config.set('store.backend', 's3')).toMatchObject({ value: 's3', restartNeeded: true })
})

it('warns of a file that has what only looks like a key', async () => {
  const config = service()
  await writeFile(file, `[sync]\npriority = ["publisher:${NO_KEY}"]\n`)
  expect(config.show().warnings).toEqual([expect.stringMatching(/config.toml:2\): .* is not an Ed25519/)])
})

it('has other libraries followed at once, and makes one change after the other', async () => {
  const config = service()
  const row = () => config.show().values.find(({ key }) => key === 'sync.follow')
  const [a, b, c] = ['a', 'b', 'c'].map(name => peerOf(keyOf(name).publicKey))
  expect(await config.set('sync.follow', [a])).toMatchObject({ restartNeeded: false })
  const more = (line?: string) => config.edit('sync.follow', ({ values }) => [...values.sync.follow, line])
  await Promise.all([more(b), more(c)])
  expect(followed).toEqual([[a], [a, b], [a, b, c]])
  expect(row()).toMatchObject({ value: [a, b, c].join(','), origin: expect.stringMatching(/^file:/) })
  expect(row()).not.toHaveProperty('pending')
  const refused = config.edit('sync.follow', () => {
    throw new Error('no')
  })
  await expect(refused).rejects.toThrow('no')
  expect(followed).toHaveLength(3)
})

it('puts a changed file in force only as far as nothing overrides it, and mends one that contradicts itself', async () => {
  const a = peerOf(keyOf('a').publicKey)
  const config = service({ CATALOG_SYNC_FOLLOW: a })
  expect(await config.set('sync.follow', '')).toEqual({
    key: 'sync.follow',
    value: a,
    restartNeeded: false,
    overriddenBy: 'env:CATALOG_SYNC_FOLLOW'
  })
  expect(followed).toEqual([[a]])
  await writeFile(file, '[store]\nbackend = "s3"\n')
  await expect(config.edit('sync.follow', () => [])).rejects.toMatchObject({ code: 'CONFIG_BAD_VALUE' })
  await config.set('store.backend', 'local')
})

it('switches tuning at once', async () => {
  const config = service()
  expect(await config.set('tuning.auto', true)).toMatchObject({ value: 'true', restartNeeded: false })
  expect(await config.set('tuning.auto', false)).toMatchObject({ value: 'false', restartNeeded: false })
  expect(await config.set('tuning.maxAtOnce', 16)).toMatchObject({ restartNeeded: true })
  expect(tuned).toEqual([true, false])
})
