/**
 * The fields of `--json` that other programs rely on: they may get company, and are never renamed or dropped. Real commands
 * against real daemons; each field is named with the type of its value.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cliOk } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

/** `[]` after a field: an array, with at least one of what stands below it; a last `?` lets it be null. */
const PROMISED: Record<string, string[]> = {
  'ready line': ['event string', 'peerId string', 'addresses[] string', 'socket string', 'version string'],
  id: ['peerId string', 'publicKey string', 'addresses[] string'],
  status: [
    'state string',
    'health.score number',
    'health.reasons[]',
    'uptimeMs number',
    'peers number',
    'library.root string',
    'library.revision number',
    'library.releases number',
    'store.bytes number',
    'store.quotaBytes number',
    'store.chunks number',
    'memory.rssBytes number'
  ],
  publish: [
    'name string',
    'version string',
    'id string',
    'content string',
    'sizeBytes number',
    'files number',
    'newBytes number',
    'announcedTo number'
  ],
  info: [
    'name string',
    'version string',
    'type string',
    'publisher string',
    'id string',
    'content string',
    'sizeBytes number',
    'status string',
    'access string',
    'local string'
  ],
  fetch: [
    'id string',
    'bytesFetched number',
    'bytesReused number',
    'sources[].peerId string',
    'sources[].bytes number',
    'tookMs number'
  ],
  install: [
    'target string',
    'installed[].name string',
    'installed[].version string',
    'installed[].id string',
    'installed[].path string',
    'bytesFetched number',
    'tookMs number'
  ],
  sync: [
    'peerId string',
    'received number',
    'sent number',
    'bytesIn number',
    'bytesOut number',
    'roundTrips number',
    'root string',
    'peerRoot string',
    'tookMs number'
  ],
  verify: ['ok boolean', 'checked number', 'bytes number', 'bad[]'],
  'peers list': [
    'peers[].peerId string',
    'peers[].addresses[] string',
    'peers[].direction string',
    'peers[].rttMs number?', // null until it was measured
    'peers[].score number',
    'peers[].health number',
    'peers[].limits object'
  ],
  topology: [
    'self.peerId string',
    'strategy string',
    'regions[].name string',
    'peers[].peerId string',
    'peers[].connection string',
    'peers[].roundTripMs number?',
    'peers[].goodput object',
    'peers[].failureRate number',
    'peers[].uptime number',
    'peers[].health number',
    'peers[].reasons[]',
    'peers[].score number'
  ]
}

let net: TestNet
let seed: TestDaemon
let other: TestDaemon
/** What each command printed, by its name. */
const printed: Record<string, unknown> = {}

beforeAll(async () => {
  net = await TestNet.create()
  seed = await net.start('seed')
  other = await net.start('other', { join: seed })
  const source = join(net.folder, 'source')
  await mkdir(source)
  await writeFile(join(source, 'a.txt'), 'a')
  await eventually(async () => (await other.ok('GET', '/v1/status')).peers > 0)
  const at = (daemon: TestDaemon, ...args: string[]) => cliOk(args, { home: daemon.home.root })
  printed['ready line'] = await seed.ready()
  printed.publish = await at(seed, 'publish', source, '--name', 'pack', '--version', '1.0.0')
  printed.fetch = await at(other, 'fetch', 'pack')
  printed.install = await at(other, 'install', 'pack', '--to', join(net.folder, 'target'))
  printed.info = await at(other, 'info', 'pack')
  printed.verify = await at(other, 'verify', 'pack')
  for (const name of ['id', 'status', 'peers list', 'topology'])
    printed[name] = await at(other, ...name.split(' '))
  printed.sync = await at(other, 'sync', seed.peerId)
  printed.list = await at(other, 'list')
}, 120_000)

afterAll(() => net.destroy())

/** Problems of a document at a path such as `a.b[].c`. */
function missing(document: unknown, path: string, type: string | undefined): string[] {
  const [first = '', ...rest] = path.split('.')
  const name = first.replace(/\[\]$/, '')
  const value = (document as Record<string, unknown> | null)?.[name]
  if (value === undefined) return [`no ${name}`]
  if (first.endsWith('[]')) {
    if (!Array.isArray(value)) return [`${name} is no array`]
    if (type !== undefined && value.length === 0)
      return [`${name} is empty: nothing can be said of what is in it`]
    return value.flatMap(item =>
      rest.length > 0 ? missing(item, rest.join('.'), type) : wrongType(name, item, type)
    )
  }
  return rest.length > 0 ? missing(value, rest.join('.'), type) : wrongType(name, value, type)
}

function wrongType(name: string, value: unknown, type: string | undefined): string[] {
  if (type === undefined || (type.endsWith('?') && value === null)) return []
  return typeof value === type.replace('?', '') ? [] : [`${name} is ${JSON.stringify(value)}, no ${type}`]
}

const problemsOf = (document: unknown, fields: readonly string[]): string[] =>
  fields.flatMap(field => {
    const [path = '', type] = field.split(' ')
    return missing(document, path, type).map(problem => `${path}: ${problem}`)
  })

test.each(Object.keys(PROMISED))('%s has every promised field', name => {
  expect(problemsOf(printed[name], PROMISED[name]!)).toEqual([])
})

test('the root that sync tells is that of the writer', async () => {
  const { root } = printed.sync as { root: string }
  expect((await seed.ok('GET', '/v1/status')).library.root).toBe(root)
})

test('items of list have those of info', () => {
  const { packages } = printed.list as { packages: unknown[] }
  expect(packages).toHaveLength(1)
  expect(problemsOf(packages[0], PROMISED.info!)).toEqual([])
})
