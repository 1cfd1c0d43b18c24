/** Limits and bans between daemons: set and changed while content moves, and kept across a restart with what was measured. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/index.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

const KIB = 1024
const MIB = 1024 * KIB
const SIZE_BYTES = 20 * MIB
/** The last piece may not have got its turn yet, or just so. */
const PIECE_BYTES = 64 * KIB
/** Daemons start, and content moves slowly, on a machine that has other work. */
const TEST_MS = 120_000
/**
 * Low, with a burst of half a second, so that a machine that has other work for a while loses nothing of them: what is
 * measured is the limit, not the machine.
 */
const SLOW = { rate: 512 * KIB, burst: 256 * KIB }
const FASTER = { rate: MIB, burst: 512 * KIB }
/** How long a rate is measured, in bursts: what one burst more or less is to the whole. */
const MEASURED_BURSTS = 10

/** A peer that nobody here has met. */
const STRANGER = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'

let net: TestNet
let source: TestDaemon
let consumer: TestDaemon
beforeAll(async () => {
  net = await TestNet.create()
  source = await net.start('source')
  const sizes = { 'of-peer': SIZE_BYTES, 'of-config': SIZE_BYTES, 'of-low': MIB, 'of-critical': MIB }
  for (const [name, sizeBytes] of Object.entries(sizes))
    await source.publish({ name, version: '1.0.0', files: { 'a.bin': randomBytes(sizeBytes) } })
  consumer = await net.start('consumer', { join: source })
}, TEST_MS)
afterAll(() => net.destroy())

interface Sample {
  /** Between these two moments so much had been sent. */
  fromMs: number
  toMs: number
  bytes: number
}

async function sample(): Promise<Sample> {
  const fromMs = systemClock.monotonicMs()
  const bytes = await passed(source, 'up', 'normal')
  return { fromMs, toMs: systemClock.monotonicMs(), bytes }
}

/** Bytes of a class that have got their turn at a daemon. */
async function passed(daemon: TestDaemon, direction: string, priority: string): Promise<number> {
  const { bytes: text } = await daemon.api('GET', '/metrics')
  const name = `catalog_throttle_passed_bytes_total{direction="${direction}",priority="${priority}"} `
  const line = text
    .toString()
    .split('\n')
    .find(candidate => candidate.startsWith(name))
  return Number(line?.slice(name.length) ?? 0)
}

/** Once so many more bytes have been sent. */
async function after(bytes: number): Promise<Sample> {
  const { bytes: before } = await sample()
  return await eventually(async () => {
    const now = await sample()
    return now.bytes >= before + bytes ? now : undefined
  }, TEST_MS)
}

/** What is sent from now on, after the burst: 95 to 100 % of the rate, and no more than one burst above it. */
async function expectRate({ rate, burst }: { rate: number; burst: number }): Promise<void> {
  const first = await after(2 * burst)
  const last = await after(MEASURED_BURSTS * burst)
  const sent = last.bytes - first.bytes
  const longestS = (last.toMs - first.fromMs) / 1000
  const shortestS = (last.fromMs - first.toMs) / 1000
  expect(sent).toBeLessThanOrEqual(rate * longestS + burst)
  expect(sent).toBeGreaterThanOrEqual(0.95 * rate * shortestS - PIECE_BYTES)
}

async function startFetch(name: string): Promise<string> {
  return (await consumer.ok('POST', '/v1/fetches', { spec: `${name}@1.0.0` })).operation.id
}

/** The rest of a fetch comes faster than at the last limit. */
async function expectUnlimited(fetch: string): Promise<void> {
  const before = await sample()
  expect((await consumer.untilEnded(fetch)).state).toBe('done')
  const end = await sample()
  expect(end.bytes - before.bytes).toBeGreaterThan((1.5 * FASTER.rate * (end.fromMs - before.toMs)) / 1000)
}

describe('a limit', () => {
  it.each([
    ['no peer id', '/v1/peers/nobody/limits', { up: MIB }, 'nobody'],
    [
      'a rate below the least',
      '/v1/peers/PEER/limits',
      { up: 1000 },
      '1000B/s is below the least rate, 32KiB/s'
    ],
    ['a burst of nothing', '/v1/peers/PEER/limits', { burst: 0 }, 'burst']
  ])('is refused for %s', async (_what, path, body, said) => {
    const answer = await source.api('PUT', path.replace('PEER', consumer.peerId), body)
    expect(answer.status).toBe(400)
    expect(answer.json.error.code).toBe('INVALID_ARGUMENT')
    expect(answer.json.error.message).toContain(said)
    expect((await source.ok('GET', '/v1/peers')).peers[0].limits.isSet).toBe(false)
  })

  it.each([
    ['low', 'low'],
    // A peer's transfers are at most of `peers.maxClass`.
    ['critical', 'normal']
  ])('is shared out by class: a fetch of class %s is served as %s', async (own, served) => {
    const [asked, sent] = [await passed(consumer, 'down', own), await passed(source, 'up', served)]
    const spec = `of-${own}@1.0.0`
    const { state } = await consumer.operation('/v1/fetches', { spec, priority: own })
    expect(state).toBe('done')
    expect((await passed(consumer, 'down', own)) - asked).toBeGreaterThanOrEqual(MIB)
    expect((await passed(source, 'up', served)) - sent).toBeGreaterThanOrEqual(MIB)
  })

  it(
    'of one peer is kept and reached, changes while content moves, and can be lifted',
    async () => {
      const path = `/v1/peers/${consumer.peerId}/limits`
      const put = async ({ rate, burst }: typeof SLOW): Promise<void> => {
        const limits = { up: rate, down: 0, burst, isSet: true }
        const expected = { peerId: consumer.peerId, limits }
        expect(await source.ok('PUT', path, { up: rate, burst })).toEqual(expected)
        expect((await source.ok('GET', '/v1/peers')).peers).toMatchObject([expected])
      }
      await put(SLOW)
      const fetch = await startFetch('of-peer')
      await expectRate(SLOW)
      await put(FASTER)
      await expectRate(FASTER)
      expect((await source.ok('DELETE', path)).limits).toMatchObject({ up: 0, isSet: false })
      await expectUnlimited(fetch)
    },
    TEST_MS
  )

  it(
    'of the configuration takes effect at once',
    async () => {
      const set = async (key: string, value: string): Promise<void> => {
        expect(await source.ok('PUT', `/v1/config/limits.${key}`, { value })).toMatchObject({
          restartNeeded: false
        })
      }
      const total = async (): Promise<unknown> => (await source.ok('GET', '/v1/status')).limits
      await set('private', 'true')
      await set('perPeerUp', '0')
      await set('burst', '256KiB')
      await set('up', '512KiB/s')
      expect(await total()).toEqual({ up: SLOW.rate, down: 0 })
      const fetch = await startFetch('of-config')
      await expectRate(SLOW)
      await set('windows', '00:00-24:00 1MiB/s')
      await set('burst', '512KiB')
      expect(await total()).toEqual({ up: FASTER.rate, down: 0 })
      await expectRate(FASTER)
      await set('private', 'false')
      await expectUnlimited(fetch)
    },
    TEST_MS
  )

  it('leaves what peers gave and took in the ledgers of both, which tell the same', async () => {
    const given = await source.ok('GET', `/v1/peers/${consumer.peerId}`)
    const taken = await consumer.ok('GET', `/v1/peers/${source.peerId}`)
    expect(given.ledger.sentBytes).toBeGreaterThan(2 * SIZE_BYTES)
    expect(taken.ledger.receivedBytes / given.ledger.sentBytes).toBeCloseTo(1, 2)
    expect(taken.ledger.recent.transfers).toBeGreaterThan(3)
    expect(given.weight).toBeLessThan(1)
    expect(taken.weight).toBeGreaterThan(1)
    expect(given.connection).toMatchObject({ peerId: consumer.peerId, score: expect.closeTo(given.score, 2) })
  })

  it('does not keep a peer from being banned: it is cut off and stays out, both ways, until it is let in', async () => {
    const path = `/v1/peers/${consumer.peerId}/ban`
    for (const [url, said] of [
      [`/v1/peers/${source.peerId}/ban`, 'this node itself'],
      ['/v1/peers/nobody/ban', "'nobody' is not a peer id"]
    ] as const) {
      const answer = await source.api('PUT', url, {})
      expect(answer.json.error.code).toBe('INVALID_ARGUMENT')
      expect(answer.json.error.message).toContain(said)
    }
    const ban = await source.ok('PUT', path, { reason: 'a line' })
    expect(await source.ok('GET', '/v1/peers')).toMatchObject({ peers: [], banned: [ban] })
    expect((await source.api('PUT', path, {})).json.error.code).toBe('PEER_BANNED')
    const dialled = await source.api('POST', '/v1/peers', { address: consumer.address })
    expect(dialled.json.error).toMatchObject({ code: 'PEER_BANNED', hint: expect.stringContaining('unban') })
    await eventually(async () => (await consumer.ok('GET', '/v1/status')).peers === 0)
    const knocked = await consumer.api('POST', '/v1/peers', { address: source.address })
    expect(knocked.json.error.code).toBe('PEER_REFUSED')
    const { connection, ban: shown } = await source.ok('GET', `/v1/peers/${consumer.peerId}`)
    expect({ connection, shown }).toEqual({ connection: null, shown: ban })
    expect(await source.ok('DELETE', path)).toEqual(ban)
    expect((await source.api('DELETE', path)).json.error.code).toBe('NOT_FOUND')
    expect((await consumer.ok('POST', '/v1/peers', { address: source.address })).peerId).toBe(source.peerId)
  })

  it(
    'of one peer holds after a restart, and is shown while the peer is away',
    async () => {
      await source.ok('PUT', `/v1/peers/${consumer.peerId}/limits`, { down: 3 * MIB })
      const { ledger } = await source.ok('GET', `/v1/peers/${consumer.peerId}`)
      const ban = await source.ok('PUT', `/v1/peers/${STRANGER}/ban`, {})
      await consumer.stop()
      await source.stop()
      source = await net.start('source')
      const { peers, limited, banned } = await source.ok('GET', '/v1/peers')
      expect(peers).toEqual([])
      const limits = { up: 0, down: 3 * MIB, isSet: true }
      expect(limited).toMatchObject([{ peerId: consumer.peerId, limits }])
      expect(banned).toEqual([ban])
      const later = (await source.ok('GET', `/v1/peers/${consumer.peerId}`)).ledger
      expect(later.since).toBe(ledger.since)
      expect(later.sentBytes).toBeGreaterThanOrEqual(ledger.sentBytes)
    },
    TEST_MS
  )
})
