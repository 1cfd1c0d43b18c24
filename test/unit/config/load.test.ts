import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CatalogError } from '../../../base/index.ts'
import {
  type ConfigProblem,
  type LoadConfigOptions,
  loadConfig,
  validateConfigFile
} from '../../../config/index.ts'
import { MAX_CONFIG_FILE_BYTES } from '../../../config/load.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
  file = join(folder, 'config.toml')
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (text: string): string => {
  writeFileSync(file, text)
  return file
}

function problemsOf(options: LoadConfigOptions): ConfigProblem[] {
  try {
    loadConfig(options)
  } catch (error) {
    return (error as CatalogError).details!.problems as ConfigProblem[]
  }
  throw new Error('nothing was wrong')
}

describe('precedence', () => {
  const FILE = '[store]\nquota = "1GB"\n\n[mdns]\nenabled = true\n'
  const key = 'store.quota'

  test('default, profile, file, environment, flag, and each value knows its origin', () => {
    expect(loadConfig().values.store.quota).toBe(100_000_000_000)
    expect(loadConfig().origins.get(key)).toBe('default')
    const server = loadConfig({ profile: 'server' })
    expect([server.values.mdns.enabled, server.origins.get('mdns.enabled')]).toEqual([
      false,
      'profile:server'
    ])
    const fromFile = loadConfig({ file: write(FILE), profile: 'server' })
    expect([fromFile.values.store.quota, fromFile.origins.get(key)]).toEqual([1e9, `file:${file}:2`])
    expect([fromFile.values.mdns.enabled, fromFile.origins.get('mdns.enabled')]).toEqual([
      true,
      `file:${file}:5`
    ])
    const env = { CATALOG_STORE_QUOTA: '2GB' }
    const fromEnv = loadConfig({ file, env })
    expect([fromEnv.values.store.quota, fromEnv.origins.get(key)]).toEqual([2e9, 'env:CATALOG_STORE_QUOTA'])
    const fromFlag = loadConfig({ file, env, flags: { [key]: '3GB' } })
    expect([fromFlag.values.store.quota, fromFlag.origins.get(key)]).toEqual([3e9, 'flag'])
  })

  test('the profile may come from any place', () => {
    write('[network]\nprofile = "server"\n')
    expect(loadConfig({ file }).values.network.privateAddresses).toBe('never')
    expect(
      loadConfig({ file, env: { CATALOG_NETWORK_PROFILE: 'local' } }).values.network.privateAddresses
    ).toBe('always')
    expect(loadConfig({ file, profile: 'standard' }).values.network.privateAddresses).toBe('auto')
  })

  test('every key has an origin', () => {
    const { origins, values } = loadConfig()
    const keys = Object.entries(values).flatMap(([section, content]) =>
      Object.keys(content).map(name => `${section}.${name}`)
    )
    expect([...origins.keys()]).toEqual(keys)
  })

  test('two loads share nothing', () => {
    loadConfig().values.network.listen.push('/x')
    expect(loadConfig().values.network.listen).toHaveLength(4)
  })
})

describe('values', () => {
  test('durations in milliseconds, sizes and rates in bytes, lists by commas', () => {
    const { values } = loadConfig({
      env: {
        CATALOG_SYNC_INTERVAL: '1h30m',
        CATALOG_LIMITS_PER_PEER_UP: '3MB/s',
        CATALOG_NETWORK_MAX_CONNECTIONS: '12',
        CATALOG_NETWORK_LISTEN: '/ip4/127.0.0.1/udp/0/quic-v1, /ip6/::1/udp/0/quic-v1'
      },
      flags: { 'mdns.enabled': false, 'network.deny': [] }
    })
    expect(values.sync.interval).toBe(5_400_000)
    expect(values.limits.perPeerUp).toBe(3e6)
    expect(values.network.maxConnections).toBe(12)
    expect(values.network.listen).toEqual(['/ip4/127.0.0.1/udp/0/quic-v1', '/ip6/::1/udp/0/quic-v1'])
    expect(values.mdns.enabled).toBe(false)
  })

  test('in a file a size may be a number, a duration may not', () => {
    expect(loadConfig({ file: write('store.quota = 67108864') }).values.store.quota).toBe(2 ** 26)
    expect(problemsOf({ file: write('sync.interval = 5') })[0]).toMatchObject({
      key: 'sync.interval',
      value: '5'
    })
  })

  test.each([
    ['network.maxConnections', '0'],
    ['network.maxConnections', '3.5'],
    ['network.maxConnections', ''],
    ['network.maxConnections', '1e2'],
    ['network.id', 'Upper'],
    ['network.id', ''],
    ['network.listen', '/ip4/0.0.0.0/tcp/4747/ws'],
    ['network.bootstrap', 'example.org:4747'],
    ['network.deny', 'somebody'],
    ['mdns.enabled', 'yes'],
    ['log.level', 'loud'],
    ['admin.socket', 'relative/admin.sock'],
    ['security.minTrustScore', '1.01'],
    ['quic.maxIdleTimeout', '10'],
    ['quic.maxIdleTimeout', '11m'],
    ['store.quota', '-1'],
    ['store.quota', '5'],
    ['store.quota', '63MiB'],
    ['store.quota', '99999999999999GB']
  ])('%s refuses %s and says the rule', (key, value) => {
    const [problem] = problemsOf({ flags: { [key]: value } })
    expect(problem).toMatchObject({ code: 'CONFIG_BAD_VALUE', key, value, origin: 'flag' })
    expect(problem!.message).toContain(problem!.rule)
    expect(problem!.message).toContain(key)
  })
})

describe('problems', () => {
  test('all are reported together, with line, rule and the nearest key', () => {
    const text = '[stor]\nquota = 1\n\n[network]\n# a comment\nid = "UP"\nmaxConection = 3\n'
    const problems = problemsOf({
      file: write(text),
      env: { CATALOG_STORE_QOUTA: '1' },
      flags: { level: 'info', 'discovery.mdns': false }
    })
    expect(problems.map(({ code, key, origin, nearest }) => [code, key, origin, nearest])).toEqual([
      ['CONFIG_UNKNOWN_KEY', 'stor.quota', `file:${file}:2`, 'store.quota'],
      ['CONFIG_BAD_VALUE', 'network.id', `file:${file}:6`, undefined],
      ['CONFIG_UNKNOWN_KEY', 'network.maxConection', `file:${file}:7`, 'network.maxConnections'],
      ['CONFIG_UNKNOWN_KEY', 'CATALOG_STORE_QOUTA', 'env:CATALOG_STORE_QOUTA', 'CATALOG_STORE_QUOTA'],
      ['CONFIG_UNKNOWN_KEY', 'level', 'flag', 'log.level'],
      ['CONFIG_UNKNOWN_KEY', 'discovery.mdns', 'flag', 'mdns.enabled']
    ])
    expect(() => loadConfig({ file })).toThrow(/^3 problems: .*did you mean store\.quota\?/)
  })

  test('a file that is no TOML names the line', () => {
    const [problem] = problemsOf({ file: write('[store]\nquota = \n') })
    expect(problem).toMatchObject({ code: 'CONFIG_SYNTAX', origin: `file:${file}:2` })
  })

  test.each([
    'store = 3',
    '[[store]]\nquota = 1',
    '[store.quota]\nx = 1',
    'plain = 1',
    '[unknown]',
    '__proto__.x = 1'
  ])('%j is refused', text => {
    expect(problemsOf({ file: write(text) })).toHaveLength(1)
  })

  test('a file of nothing but mistakes does not make an endless error', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `wrong${index} = 1`).join('\n')
    expect(problemsOf({ file: write(text) })).toHaveLength(100)
    expect(() => loadConfig({ file })).toThrow(/^100 problems/)
  })

  test('a long bad value is cut in the message', () => {
    const [problem] = problemsOf({ flags: { 'network.id': 'x'.repeat(100_000) } })
    expect(problem!.message.length).toBeLessThan(1000)
  })

  test('a missing, unreadable or huge file', () => {
    expect(() => loadConfig({ file: join(folder, 'none.toml') })).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' })
    )
    expect(() => loadConfig({ file: folder })).toThrow(
      expect.objectContaining({ code: 'CONFIG_SYNTAX', message: `${folder} is a folder, not a file` })
    )
    write('#'.repeat(MAX_CONFIG_FILE_BYTES + 1))
    expect(() => loadConfig({ file })).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
  })

  test('a quota is none, or has room for a segment', () => {
    for (const quota of ['0', '64MiB']) loadConfig({ flags: { 'store.quota': quota } })
    const [problem] = problemsOf({ flags: { 'store.quota': '5' } })
    expect(problem?.message).toContain('at least 64MiB, or 0')
  })

  test('variables of other programs, of the home and the passphrase do not stop it', () => {
    const env = { CATALOG_HOME: '/x', CATALOG_PASSPHRASE: 'secret', CATALOG_URL: 'x', PATH: '/bin' }
    Object.assign(env, { CATALOG_PEM_PASSPHRASE: 'secret' })
    expect(loadConfig({ env }).warnings).toEqual(['CATALOG_URL is no setting of Catalog and is ignored'])
  })
})

describe('warnings', () => {
  const warningsOf = (flags: Record<string, unknown>): readonly string[] => loadConfig({ flags }).warnings

  test('the defaults and the profiles are quiet', () => {
    for (const profile of ['standard', 'local', 'server'])
      expect(warningsOf({ 'network.profile': profile })).toEqual([])
  })

  test.each([
    [{ 'network.profile': 'server', 'network.privateAddresses': 'always' }, 'network scan'],
    [{ 'network.profile': 'server', 'network.announce': '/ip4/192.168.1.2/udp/1/quic-v1' }, '192.168.1.2'],
    [{ 'network.profile': 'server', 'network.announce': '/ip6/fd00::1/udp/1/quic-v1' }, 'fd00::1'],
    [{ 'network.profile': 'server', 'mdns.enabled': true }, 'mdns.enabled'],
    [{ 'network.maxConnections': 301 }, 'above 300'],
    [{ 'network.maxConnections': 60 }, 'network.peersWanted'],
    [{ 'network.maxConnections': 50, 'network.peersWanted': 10 }, 'network.reservedSlots'],
    [{ 'quic.keepAliveInterval': '6s' }, 'keepAliveInterval'],
    [{ 'quic.maxStreamData': '20MB' }, 'maxStreamData'],
    [{ 'memory.network': '16MB', 'quic.maxConnectionData': '17MB' }, 'memory.network'],
    [{ 'dht.enabled': false, 'mdns.enabled': false }, 'finds nobody'],
    [{ 'mirroring.enabled': true, 'mirror.quota': '0', 'store.quota': '0' }, 'fill the disk'],
    [{ 'mirror.min': 5 }, 'do not ascend'],
    [{ 'store.lowWater': 0.95 }, 'store.lowWater is above store.highWater'],
    [{ 'limits.perPeerUp': '20MB' }, 'limits.up']
  ])('%j warns of %s', (flags, words) => {
    expect(warningsOf(flags).join('\n')).toContain(words)
  })

  test('a reserved key says what it waits for, and where it was set', () => {
    expect(warningsOf({ 'network.batchSize': '7' })).toEqual([
      'network.batchSize (flag) is reserved: no effect before federated search'
    ])
    const { warnings } = validateConfigFile('[[plugins.register]]\nname = "x"\n[plugins.x]\ny = 1\n')
    expect(warnings).toEqual(['[plugins] (file:config.toml) is reserved: no effect before plugins'])
  })
})

describe('a bucket', () => {
  const endpoint = 'https://s3.example.org'

  test('is a section in a section, of the file and of the environment', () => {
    write(`[store]\nbackend = "s3"\n[store.s3]\nendpoint = "${endpoint}"\nbucket = "segments"\n`)
    const { values, origins } = loadConfig({ file, env: { CATALOG_STORE_S3_PREFIX: 'home-1/' } })
    expect(values['store.s3']).toMatchObject({ endpoint, bucket: 'segments', prefix: 'home-1/' })
    expect(values.store.backend).toBe('s3')
    expect(origins.get('store.s3.bucket')).toBe(`file:${file}:5`)
    write(`store.s3.bucket = "one"`)
    expect(loadConfig({ file }).values['store.s3'].bucket).toBe('one')
    write(`[store.s3]\nbuckets = "one"`)
    expect(problemsOf({ file })).toMatchObject([{ code: 'CONFIG_UNKNOWN_KEY', nearest: 'store.s3.bucket' }])
    write(`[store]\ns3 = 1`)
    expect(problemsOf({ file })).toMatchObject([{ code: 'CONFIG_UNKNOWN_KEY', key: 'store.s3' }])
  })

  test('that is not named is a problem when it is to be used', () => {
    const flags = { 'store.backend': 's3', 'store.s3.endpoint': endpoint }
    expect(problemsOf({ flags })).toMatchObject([
      { code: 'CONFIG_BAD_VALUE', key: 'store.s3.bucket', origin: 'flag' }
    ])
    expect(validateConfigFile('[store]\nbackend = "s3"').problems.map(({ key }) => key)).toEqual([
      'store.s3.endpoint',
      'store.s3.bucket'
    ])
    expect(validateConfigFile('[store.s3]\nbucket = "unused"').problems).toEqual([])
  })

  test.each(['ftp://x', 'https://user:pass@x', 'https://x/?a=b', 's3.example.org'])(
    'does not answer at %s',
    value => {
      expect(problemsOf({ flags: { 'store.s3.endpoint': value } })).toMatchObject([
        { code: 'CONFIG_BAD_VALUE', key: 'store.s3.endpoint' }
      ])
    }
  )

  test.each([
    ['http://s3.example.org', true],
    ['http://8.8.8.8:9000', true],
    ['http://127.0.0.1:9000', false],
    ['http://[::1]:9000', false],
    ['http://10.1.2.3', false],
    [endpoint, false]
  ])('at %s warns of a line that is not encrypted: %s', (value, isWarned) => {
    const flags = { 'store.backend': 's3', 'store.s3.endpoint': value, 'store.s3.bucket': 'segments' }
    expect(loadConfig({ flags }).warnings.join().includes('not encrypted')).toBe(isWarned)
  })
})

test.each([
  [
    { 'tuning.minAtOnce': 60, 'tuning.maxAtOnce': 5 },
    'tuning.minAtOnce',
    'above tuning.maxAtOnce, which is 5'
  ],
  [{ 'tuning.maxPrefetch': 1 }, 'tuning.minPrefetch', 'above tuning.maxPrefetch, which is 1'],
  [{ 'tracing.endpoint': 'http://127.0.0.1:99999' }, 'tracing.endpoint', 'no URL'],
  [
    { 'store.backend': 's3', 'store.s3.bucket': 'segments', 'store.s3.endpoint': 'http://127.0.0.1:99999' },
    'store.s3.endpoint',
    'no URL'
  ]
])('%j contradicts itself', (flags, key, words) => {
  expect(problemsOf({ flags })).toMatchObject([
    { code: 'CONFIG_BAD_VALUE', key, message: expect.stringContaining(words) }
  ])
})

test('validating a file reports without throwing', () => {
  expect(validateConfigFile('[store]\nquota = "1GB"')).toEqual({ problems: [], warnings: [] })
  expect(validateConfigFile('a = [', 'x.toml').problems[0]).toMatchObject({
    code: 'CONFIG_SYNTAX',
    origin: 'file:x.toml:1'
  })
})
