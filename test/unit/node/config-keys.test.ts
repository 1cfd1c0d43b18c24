import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { type Config, loadConfig } from '../../../config/index.ts'
import { CONFIG_KEYS } from '../../../config/keys.ts'
import { createDaemon } from '../../../node/daemon.ts'
import { openHome } from '../../../node/home/home.ts'
import { homeLayout, initHome } from '../../../node/index.ts'
import { createLogging } from '../../../node/logging/logging.ts'

/** Keys that are read where this test does not look. */
const READ_ELSEWHERE: Record<string, string> = {
  'network.profile': 'chooses the defaults while the configuration is loaded',
  'log.level': 'the log is opened before the daemon is built (start.ts), and changed by `config set`',
  'log.maxSize': 'as log.level',
  'log.files': 'as log.level',
  'store.s3.endpoint': 'only with `store.backend = "s3"`: see test/net/bucket.test.ts',
  'store.s3.bucket': 'as store.s3.endpoint',
  'store.s3.prefix': 'as store.s3.endpoint',
  'store.s3.region': 'as store.s3.endpoint',
  'store.s3.credentials': 'as store.s3.endpoint',
  'store.s3.cache': 'as store.s3.endpoint',
  'store.s3.backlog': 'as store.s3.endpoint',
  'tracing.sampleRatio': 'only with `tracing.endpoint`: see test/daemon/tracing.test.ts'
}

/** The same values, noting which were read. */
function watched(values: Config, read: Set<string>): Config {
  return new Proxy(values, {
    get: (all, section) =>
      new Proxy(Reflect.get(all, section) as object, {
        get: (keys, name) => {
          read.add(`${String(section)}.${String(name)}`)
          return Reflect.get(keys, name)
        }
      })
  })
}

it('reads every setting that is not reserved while a node is built', async () => {
  const root = await mkdtemp(join(tmpdir(), 'catalog-keys-'))
  try {
    await initHome({ clock: systemClock }, { root })
    const home = await openHome(root)
    const flags = {
      'network.listen': '/ip4/127.0.0.1/udp/0/quic-v1',
      'mdns.enabled': 'false',
      'relay.serve': 'true',
      'mirroring.enabled': 'true'
    }
    const loaded = loadConfig({ file: home.config, flags })
    const read = new Set<string>()
    const config = { ...loaded, values: watched(loaded.values, read) }
    const sink = { write: () => {}, close: async () => {} }
    const logging = createLogging({ sink }, { level: 'error' })
    const daemon = await createDaemon(
      { logging, clock: systemClock },
      { home, config, reloadConfig: () => loaded }
    )
    await daemon.stop('test')
    const ignored = [...CONFIG_KEYS.values()]
      .filter(({ key, schema }) => schema.reservedFor === undefined && !read.has(key))
      .map(({ key }) => key)
    expect(ignored).toEqual(Object.keys(READ_ELSEWHERE).toSorted((a, b) => order(a) - order(b)))
    const early = [...CONFIG_KEYS.values()].filter(
      ({ key, schema }) => schema.reservedFor !== undefined && read.has(key)
    )
    expect(early.map(({ key }) => key)).toEqual([])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}, 20_000)

it('does not start with what only looks like a key, and names the setting and the entry', async () => {
  const entry = `publisher:z6Mk${'z'.repeat(44)}`
  const config = loadConfig({ flags: { 'sync.priority': ['tag:ci', entry] } })
  const sink = { write: () => {}, close: async () => {} }
  const logging = createLogging({ sink }, { level: 'error' })
  const start = createDaemon(
    { logging, clock: systemClock },
    { home: homeLayout('/nonexistent'), config, reloadConfig: () => config }
  )
  await expect(start).rejects.toMatchObject({
    code: 'CONFIG_BAD_VALUE',
    message: expect.stringMatching(`^sync.priority has '${entry}' .*is not an Ed25519 public key$`)
  })
})

const order = (key: string): number => [...CONFIG_KEYS.keys()].indexOf(key)
