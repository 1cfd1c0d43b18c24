/** What a daemon measures of its peers, how it shows that, and that it fetches by it. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { at, runCli } from './support/cli.ts'
import { SlowProxy } from './support/slow-proxy.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

const TCP = { 'network.listen': '/ip4/127.0.0.1/tcp/0' }
const SLOW_BYTES_PER_SECOND = 1_000_000
/** The slow source takes a second and a half for it: enough to be measured. */
const SIZE_BYTES = 1_500_000
/** One or two requests: who is asked first sends it. */
const SMALL_BYTES = 200_000
const TEST_MS = 120_000

let net: TestNet
let fast: TestDaemon
let slow: TestDaemon
let node: TestDaemon
let proxy: SlowProxy

beforeAll(async () => {
  net = await TestNet.create()
  fast = await net.start('fast', { set: { ...TCP, 'topology.region': 'eu-west' } })
  slow = await net.start('slow', { set: TCP, join: fast })
  for (const name of ['for-slow', 'for-fast']) await publishAtBoth(name, SIZE_BYTES)
  await publishAtBoth('small', SMALL_BYTES)
  proxy = await SlowProxy.start(slow, SLOW_BYTES_PER_SECOND)
  node = await net.start('node', { set: TCP })
  for (const address of [proxy.address, fast.address]) await node.ok('POST', '/v1/peers', { address })
}, TEST_MS)
afterAll(async () => {
  proxy.stop()
  await net.destroy()
})

async function publishAtBoth(name: string, sizeBytes: number): Promise<void> {
  await fast.publish({ name, version: '1.0.0', files: { 'file.bin': randomBytes(sizeBytes) } })
  const { state } = await slow.operation('/v1/fetches', { spec: name, from: fast.peerId })
  expect(state).toBe('done')
}

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
const seenBy = async (daemon: TestDaemon, peer: TestDaemon): Promise<any> => {
  const { peers } = await daemon.ok('GET', '/v1/topology')
  return peers.find(({ peerId }: { peerId: string }) => peerId === peer.peerId)
}

async function bytesFrom(name: string, from?: TestDaemon): Promise<Record<string, number>> {
  const { state, result } = await node.operation('/v1/fetches', { spec: name, from: from?.peerId })
  expect(state).toBe('done')
  const sources = result!.sources as Array<{ peerId: string; bytes: number }>
  const of = (daemon: TestDaemon): number =>
    sources.find(({ peerId }) => peerId === daemon.peerId)?.bytes ?? 0
  return { fast: of(fast), slow: of(slow) }
}

it('measures its peers while it fetches, and asks the better one first the next time', {
  timeout: TEST_MS
}, async () => {
  // Before anything is fetched, heartbeats alone.
  await eventually(async () => (await seenBy(node, slow))?.roundTripMs > 0)
  expect(await seenBy(node, slow)).toMatchObject({
    connection: 'direct',
    goodput: { down: null, up: null },
    region: { source: 'measured' },
    reasons: [{ code: 'unmeasured', weight: 0 }]
  })
  await bytesFrom('for-slow', slow)
  await bytesFrom('for-fast', fast)
  const [ofFast, ofSlow] = [await seenBy(node, fast), await seenBy(node, slow)]
  expect(ofFast).toMatchObject({ region: { name: 'eu-west', source: 'told' }, failureRate: 0, transfers: 0 })
  expect(ofFast.goodput.down).toBeGreaterThan(2 * ofSlow.goodput.down)
  expect(ofSlow.goodput.down).toBeLessThan(2 * SLOW_BYTES_PER_SECOND)
  // It is told when the stream has ended there as well.
  await eventually(async () => (await seenBy(fast, node))?.goodput.up > 0)
  const { peers, strategy } = (await at(node, 'topology')) as {
    peers: Array<{ peerId: string }>
    strategy: string
  }
  expect(strategy).toBe('highest-bandwidth')
  expect(peers.map(({ peerId }) => peerId)).toEqual([fast.peerId, slow.peerId])
  const bytes = await bytesFrom('small')
  expect(bytes.fast).toBeGreaterThanOrEqual(SMALL_BYTES)
  expect(bytes.slow! / SMALL_BYTES).toBeLessThan(0.1)
})

it('is shown as tables and as drawings, and its health in the list of peers', {
  timeout: TEST_MS
}, async () => {
  const shown = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await runCli(['topology', ...args], { home: node.home.root })
    expect(code).toBe(0)
    return stdout
  }
  expect(await shown('--strategy', 'lowest-latency')).toMatch(/eu-west +1 +1 .*PEER +CONNECTION/s)
  expect(await shown('--format', 'dot')).toMatch(/^graph .*topology.*\{/)
  const svg = await shown('--format', 'svg')
  expect(svg).toContain('</svg>')
  for (const daemon of [node, fast, slow]) expect(svg).toContain(daemon.peerId)
  const { peers } = await node.ok('GET', '/v1/peers')
  for (const { health } of peers) expect(health).toBeGreaterThan(0.5)
  const { status } = await node.api('GET', '/v1/topology?strategy=fastest')
  expect(status).toBe(400)
})
