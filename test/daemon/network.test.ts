import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SlowProxy } from './support/slow-proxy.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

/** A seed, and two daemons that know only the seed. */
async function three(): Promise<{ seed: TestDaemon; publisher: TestDaemon; consumer: TestDaemon }> {
  const seed = await net.start('seed')
  const [publisher, consumer] = await Promise.all([
    net.start('publisher', { join: seed }),
    net.start('consumer', { join: seed })
  ])
  await eventually(async () => (await seed.ok('GET', '/v1/peers')).peers.length === 2)
  return { seed, publisher, consumer }
}

const FILES = {
  'README.md': '# demo\n',
  'empty.txt': '',
  'lib/big.bin': Buffer.alloc(2_500_000, 'some text that repeats, and is cut into chunks '),
  'lib/index.js': 'export const answer = 42\n'
}

describe('daemons among themselves', () => {
  it('publish, find by name through the DHT, fetch, and hold the same bytes', async () => {
    const { publisher, consumer } = await three()
    const { record, result } = await publisher.publish({
      name: 'demo',
      version: '1.2.3',
      files: FILES,
      wait: 1
    })
    expect(result.announcedTo).toBeGreaterThanOrEqual(1)
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo@^1.0.0' })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({
      name: 'demo',
      version: '1.2.3',
      id: record.id.toString(),
      content: record.release.content.toString(),
      files: 4,
      dependencies: [],
      sources: [{ peerId: publisher.peerId }]
    })
    const [mine, theirs] = await Promise.all(
      [consumer, publisher].map(daemon => daemon.api('GET', `/v1/contents/${record.release.content}/tar`))
    )
    expect(mine?.trailers['x-catalog-status']).toBe('ok')
    expect(mine?.bytes.equals(theirs!.bytes)).toBe(true)
    const again = await consumer.operation('/v1/fetches', { spec: 'demo@1.2.3' })
    expect(again.result).toMatchObject({ bytesFetched: 0, sources: [] })
  })

  it('do all of it over TCP alone', async () => {
    const set = { 'network.listen': '/ip4/127.0.0.1/tcp/0' }
    const seed = await net.start('seed', { set })
    const publisher = await net.start('publisher', { join: seed, set })
    const consumer = await net.start('consumer', { join: seed, set })
    await eventually(async () => (await seed.ok('GET', '/v1/peers')).peers.length === 2)
    const { record } = await publisher.publish({ name: 'demo', version: '1.2.3', files: FILES, wait: 1 })
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({
      id: record.id.toString(),
      sources: [{ peerId: publisher.peerId }]
    })
    const { peers } = await consumer.ok('GET', '/v1/peers')
    expect(peers.flatMap(({ addresses }: { addresses: string[] }) => addresses).join()).not.toContain('quic')
  })

  it('find a release by its id alone through the DHT, from a peer they were not connected to', async () => {
    const seed = await net.start('seed')
    const quiet = { join: seed, set: { 'network.peersWanted': '0' } }
    const publisher = await net.start('publisher', quiet)
    await eventually(async () => (await seed.ok('GET', '/v1/peers')).peers.length === 1)
    const { record, result } = await publisher.publish({
      name: 'demo',
      version: '1.0.0',
      files: FILES,
      wait: 1
    })
    expect(result.announcedTo).toBeGreaterThanOrEqual(1)
    const consumer = await net.start('consumer', quiet)
    await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers === 1)
    const peersOf = async (): Promise<string[]> =>
      (await consumer.ok('GET', '/v1/peers')).peers.map(({ peerId }: { peerId: string }) => peerId)
    // So small a network knits itself together: the consumer leaves the publisher before it asks.
    await eventually(async () => {
      await consumer.api('DELETE', `/v1/peers/${publisher.peerId}`)
      return !(await peersOf()).includes(publisher.peerId)
    })
    const info = await consumer.ok('GET', `/v1/releases?spec=${record.id}&network=true`)
    expect(info).toMatchObject({ id: record.id.toString(), name: 'demo', local: 'none' })
    const fetched = await consumer.operation('/v1/fetches', { spec: record.id.toString() })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({ name: 'demo', sources: [{ peerId: publisher.peerId }] })
  })

  it('find a holder right after the start, while they are still dialling', async () => {
    const tcp = { 'network.listen': '/ip4/127.0.0.1/tcp/0' }
    const publisher = await net.start('publisher', { set: tcp })
    await publisher.publish({ name: 'demo', version: '1.0.0', files: { 'a.txt': 'a' } })
    // So slow that nobody has met when the fetch is asked for.
    const way = await SlowProxy.start(publisher, 10_000)
    try {
      const consumer = await net.start('consumer', { set: { ...tcp, 'network.bootstrap': way.address } })
      const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
      expect(fetched.error).toBeUndefined()
      expect(fetched.result).toMatchObject({ sources: [{ peerId: publisher.peerId }] })
    } finally {
      way.stop()
    }
  })

  it('say that nobody holds a name, soon', async () => {
    const { consumer } = await three()
    const startedMs = performance.now()
    const missing = await consumer.operation('/v1/fetches', { spec: 'nothing-of-that-name' })
    expect(missing).toMatchObject({ state: 'failed', error: { code: 'NO_PROVIDERS' } })
    expect(performance.now() - startedMs).toBeLessThan(5000)
  })

  it('explain a release', async () => {
    const { publisher, consumer } = await three()
    const { record } = await publisher.publish({ name: 'demo', version: '1.0.0', files: FILES, wait: 1 })
    const why = await consumer.ok('GET', '/v1/why?spec=demo')
    expect(why).toMatchObject({
      name: 'demo',
      local: 'none',
      releases: [{ id: record.id.toString() }],
      holders: [{ peerId: publisher.peerId }]
    })
  })

  it('do not guess between two owners, and follow --publisher', async () => {
    const { publisher, seed, consumer } = await three()
    const mine = await publisher.publish({ name: 'demo', version: '1.0.0', files: FILES, wait: 1 })
    await seed.publish({ name: 'demo', version: '9.0.0', files: { a: 'squatted' }, wait: 1 })
    const refused = await eventually(async () => {
      const operation = await consumer.operation('/v1/fetches', { spec: 'demo' })
      return operation.state === 'failed' && operation
    })
    expect(refused.error).toMatchObject({ code: 'OWNER_AMBIGUOUS' })
    const { formatPublicKey } = await import('../../trust/index.ts')
    const owner = formatPublicKey(mine.record.release.owner)
    const chosen = await consumer.operation('/v1/fetches', { spec: 'demo', publisher: owner })
    expect(chosen.result).toMatchObject({ version: '1.0.0', owner })
  })

  it('fetch from a named peer, without the DHT', async () => {
    const publisher = await net.start('publisher')
    const consumer = await net.start('consumer')
    const { record } = await publisher.publish({ name: 'demo', version: '1.0.0', files: FILES })
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo', from: publisher.address })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({ id: record.id.toString() })
  })

  it('serve nothing while paused', async () => {
    const { publisher, consumer } = await three()
    await publisher.publish({ name: 'demo', version: '1.0.0', files: FILES, wait: 1 })
    await publisher.ok('POST', '/v1/pause')
    const refused = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(refused.state).toBe('failed')
    await publisher.ok('POST', '/v1/resume')
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(fetched.error).toBeUndefined()
  })

  it('go on with a fetch after kill -9, without asking again for what was verified', async () => {
    const { publisher, consumer, seed } = await three()
    const files = { 'big.bin': randomBytes(96 * 1024 * 1024) }
    const { record } = await publisher.publish({ name: 'big', version: '1.0.0', files, wait: 1 })
    const { operation } = await consumer.ok('POST', '/v1/fetches', { spec: 'big' })
    await eventually(async () => {
      const { operation: now } = await consumer.ok('GET', `/v1/operations/${operation.id}`)
      // Two stages of 8 MiB may be on their way: beyond them the first one is committed, however slow the disk is.
      return now.state !== 'running' || now.progress.bytesDone > 17 * 1024 * 1024
    })
    publisher.process.kill('SIGSTOP')
    await consumer.kill()
    publisher.process.kill('SIGCONT')
    const again = await net.start('consumer', { join: seed })
    const resumed = await eventually(async () => {
      const { operations } = await again.ok('GET', '/v1/operations')
      return operations.find((one: { kind: string }) => one.kind === 'fetch')
    })
    expect(resumed.requestId).toMatch(/^resume-/)
    const ended = await again.untilEnded(resumed.id)
    expect(ended.error).toBeUndefined()
    expect(ended.result).toMatchObject({ id: record.id.toString() })
    expect(ended.result?.bytesReused).toBeGreaterThan(0)
    expect(Number(ended.result?.bytesFetched) + Number(ended.result?.bytesReused)).toBe(
      files['big.bin'].length
    )
    expect((await again.operation('/v1/verifications', { spec: 'big' })).result).toMatchObject({ ok: true })
    await again.stop()
    const third = await net.start('consumer', { join: seed })
    expect((await third.ok('GET', '/v1/operations')).operations).toEqual([])
  })

  it('join through an invite', async () => {
    const seed = await net.start('seed')
    const { invite } = await seed.ok('POST', '/v1/invites', {})
    expect(invite).toMatch(/^catalog1:/)
    const { initHome } = await import('../../node/index.ts')
    const { systemClock } = await import('../../base/index.ts')
    await initHome({ clock: systemClock }, { root: `${net.folder}/joined`, invite })
    const joined = await net.start('joined')
    await eventually(async () => (await joined.ok('GET', '/v1/status')).peers === 1)
  })

  it('miss a peer that has left at once', async () => {
    const { seed, publisher } = await three()
    await publisher.stop()
    const startedMs = performance.now()
    await eventually(async () => (await seed.ok('GET', '/v1/peers')).peers.length === 1)
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })
})
