import { afterEach, beforeEach, expect, it } from 'vitest'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

const LIBRARY = {
  library: 'ab'.repeat(32),
  writer: '12D3Writer',
  name: 'tools',
  address: '12D3Writer/tools',
  records: 7,
  root: 'cd'.repeat(32),
  head: { epoch: 1, revision: 12, expires: '2026-01-08T00:00:00.000Z' },
  isExpired: true,
  syncedAt: '2026-01-01T00:00:00.000Z'
}
const FOLLOW = {
  writer: '12D3Writer',
  name: 'home',
  address: '12D3Writer',
  content: 'all',
  mode: 'union',
  type: 'vm',
  tag: 'ci',
  state: 'failing',
  nextAt: '2026-01-02T00:00:00.000Z'
}
const RESULT = {
  peerId: '12D3Peer',
  state: 'updated',
  dryRun: false,
  received: 3,
  removed: 1,
  sent: 0,
  records: 7,
  bytesIn: 2000,
  bytesOut: 1000,
  roundTrips: 2,
  joined: 5,
  content: { fetched: 2, failed: 1, bytesFetched: 5000 },
  tookMs: 40
}

let folder: ReturnType<typeof temporaryFolder>
let home: string
let daemon: FakeDaemon
beforeEach(async () => {
  folder = temporaryFolder()
  home = folder.folder
  daemon = await startFakeDaemon(home)
  const operation = { id: 'x', kind: 'sync', state: 'done', progress: { phase: 'done' }, result: RESULT }
  daemon.routes.set('POST /v1/sync', () => ({ json: { operation } }))
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

it('says what came and went, and sends what it was told', async () => {
  const args = [
    'sync',
    '12D3Peer',
    '--library',
    '12D3Writer',
    '--mode',
    'union',
    '--content',
    'all',
    '--type',
    'vm',
    '--tag',
    'ci',
    '--category',
    'tools',
    '--publisher',
    'z6Mkada'
  ]
  const { stdout, status } = await cli([...args, '--prefix', '@acme/'], { home })
  expect(status).toBe(0)
  expect(stdout).toContain('3 records came, 1 went or were replaced: 7 records')
  expect(stdout).toContain('5 records joined the home library')
  expect(stdout).toContain('content of 2 releases (5 kB); of 1 it could not be had')
  expect(JSON.parse(daemon.seen[0]!.body.toString())).toMatchObject({
    peer: '12D3Peer',
    library: '12D3Writer',
    mode: 'union',
    content: 'all',
    type: 'vm',
    tag: 'ci',
    category: 'tools',
    publisher: 'z6Mkada',
    prefix: '@acme/'
  })
})

it('shows the copies that are here, and how the standing ones go', async () => {
  daemon.routes.set('GET /v1/sync', () => ({
    json: { libraries: [LIBRARY], follows: [{ ...FOLLOW, error: 'DIAL_FAILED' }] }
  }))
  const { stdout, status } = await cli(['sync', '--status'], { home })
  expect(status).toBe(0)
  expect(stdout).toMatch(/12D3Writer\/tools +7 +12 +expired/)
  expect(stdout).toMatch(/12D3Writer +all +union +type:vm tag:ci +DIAL_FAILED/)
  daemon.routes.set('GET /v1/sync', () => ({ json: { libraries: [], follows: [] } }))
  expect((await cli(['sync', '--status'], { home })).stdout).toContain('no library')
})

it('lets go of a copy', async () => {
  daemon.routes.set('DELETE /v1/sync/*', () => ({ json: { writer: '12D3Writer', name: 'tools' } }))
  const { status } = await cli(['sync', '12D3Writer/tools', '--forget'], { home })
  expect(status).toBe(0)
  expect(daemon.seen[0]!.url.pathname).toBe('/v1/sync/12D3Writer%2Ftools')
})

/** The answer of a peer that has no place now, as the daemon passes it on. */
const busy = (retryAfterMs?: number) =>
  failed({ code: 'BUSY', message: 'no place', hint: 'try again in 43 s', details: { retryAfterMs } })

/** What the daemon answers when the work has ended so. */
const failed = (error: object) => {
  const operation = { id: 'x', kind: 'sync', state: 'failed', progress: { phase: 'comparing' }, error }
  return { json: { operation } }
}

it('waits for a peer that says when it has a place, and asks again', async () => {
  const answer = daemon.routes.get('POST /v1/sync')!
  daemon.routes.set('POST /v1/sync', request => (daemon.seen.length === 1 ? busy(1) : answer(request)))
  const { stdout, stderr, status } = await cli(['sync', '12D3Peer'], { home })
  expect(status).toBe(0)
  expect(stderr).toContain('asked again in 1 s')
  expect(stdout).toContain('3 records came')
  expect(daemon.seen).toHaveLength(2)
})

it.each([
  ['43 s', 43_000, ['--timeout', '20s']],
  ['two minutes', 120_000, []],
  ['no time', undefined, []]
])('does not wait in vain for one that says %s', async (_name, retryAfterMs, args) => {
  daemon.routes.set('POST /v1/sync', () => busy(retryAfterMs))
  const { stderr, status } = await cli(['sync', '12D3Peer', ...args], { home })
  expect(status).toBe(6)
  expect(stderr).toContain('BUSY: no place; try again in 43 s')
  expect(daemon.seen).toHaveLength(1)
})

it('leaves it with the daemon at once with --later', async () => {
  daemon.routes.set('POST /v1/sync', () => busy(43_000))
  daemon.routes.set('POST /v1/queue/sync', () => ({ status: 201, json: { id: '01' } }))
  const { stdout, status } = await cli(['sync', '12D3Peer', '--later'], { home })
  expect(status).toBe(0)
  expect(stdout).toContain('nobody can be asked now (BUSY); queued as 01')
})

it.each([
  ['is silent', true, { code: 'TIMEOUT' }],
  ['breaks off', true, { code: 'STREAM_TRUNCATED' }],
  ['says that it stops', true, { code: 'SHUTTING_DOWN', details: { remoteCode: 'SHUTTING_DOWN' } }],
  ['is not through in the time of a session', true, { code: 'TIMEOUT', details: { isSessionOver: true } }],
  ['has more time than the user gave', false, { code: 'TIMEOUT', details: { limitOf: 'operation' } }],
  ['is not asked, since this daemon stops', false, { code: 'SHUTTING_DOWN' }]
])('with --later and a peer that %s, queues: %s', async (_name, isQueued, error) => {
  daemon.routes.set('POST /v1/sync', () => failed({ message: 'it ended', hint: 'wait', ...error }))
  daemon.routes.set('POST /v1/queue/sync', () => ({ status: 201, json: { id: '01' } }))
  const { stdout, status } = await cli(['sync', '12D3Peer', '--later'], { home })
  expect([status === 0, stdout.includes('queued as 01')]).toEqual([isQueued, isQueued])
  expect(daemon.seen).toHaveLength(isQueued ? 2 : 1)
})

it('queues nothing when the time that the user gave is over', async () => {
  const operation = { id: 'x', kind: 'sync', state: 'running', progress: { phase: 'comparing' } }
  daemon.routes.set('POST /v1/sync', () => ({ json: { operation } }))
  daemon.routes.set('GET /v1/operations/*', () => new Promise<never>(() => undefined))
  const { stderr, status } = await cli(['sync', '12D3Peer', '--later', '--timeout', '50ms'], { home })
  expect(status).toBe(6)
  expect(stderr).toContain('TIMEOUT: the command did not finish within 50 ms')
  expect(daemon.seen.map(({ url }) => url.pathname)).not.toContain('/v1/queue/sync')
})

it('shows what waits as it was asked for', async () => {
  const request = { spec: 'tool', from: '12D3KooA' }
  const queued = { id: '01', kind: 'fetch', request, queuedAt: '2026-01-01T00:00:00.000Z', attempts: 2 }
  daemon.routes.set('GET /v1/queue', () => ({ json: { queue: [queued] } }))
  const { stdout } = await cli(['queue', 'list'], { home })
  expect(stdout).toContain('fetch tool --from 12D3KooA')
})

it.each([
  [[]],
  [['12D3Peer', '--status']],
  [['--status', '--forget']],
  [['12D3Peer', '--forget', '--dry-run']],
  [['12D3Peer', '--later', '--content', 'all']]
])('refuses %j, which makes no sense', async args => {
  expect((await cli(['sync', ...args], { home })).status).toBe(2)
  expect(daemon.seen).toEqual([])
})
