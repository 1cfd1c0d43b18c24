import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, DAY_MS, MIB, silentLogger } from '../../../base/index.ts'
import { accountKey } from '../../../ledger/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { withOutcomes } from '../../../node/services/fetch-outcomes.ts'
import type { Network } from '../../../node/services/network.ts'
import { PeerBans } from '../../../node/services/peer-bans.ts'
import { PeerLedger } from '../../../node/services/peer-ledger.ts'
import { standingOf } from '../../../node/services/peer-standing.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { keyOf } from '../records/examples.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'

const PEER = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'
const WRITER = keyOf('alice').publicKey
const OPEN = { id: 'open' } as unknown as ReleaseRecord
const CLOSED = { id: 'closed' } as unknown as ReleaseRecord
const signal = new AbortController().signal

let database: TestDatabase
let evidence: object[]
let timeMs: number
beforeEach(async () => {
  database = await openMemory()
  evidence = []
  timeMs = 1_700_000_000_000
})
afterEach(() => database.close())

/** Never ends a wait by itself: what is kept is kept by `stop`. */
const clock = {
  now: () => timeMs,
  monotonicMs: () => timeMs,
  wait: (_: number, ended?: AbortSignal) =>
    new Promise<void>((_resolve, reject) => ended?.addEventListener('abort', () => reject(ended.reason)))
}

/** As a start of the daemon. */
async function open(options: { isWeighing?: boolean } = {}): Promise<PeerLedger> {
  const ledger = await PeerLedger.open(
    {
      database,
      registry: { isOpen: record => record === OPEN },
      sets: { evidence: async () => evidence as never },
      networkOf: () => '',
      clock,
      logger: silentLogger
    },
    { halfLifeMs: 7 * DAY_MS, isWeighing: true, ...options }
  )
  ledger.start()
  return ledger
}

const contradiction = (isClosed = false, revision = 7): object => {
  const head = (root: number) => ({
    library: new Uint8Array(32),
    writer: WRITER,
    epoch: 1,
    revision,
    root: new Uint8Array(32).fill(root),
    isClosed
  })
  return { known: head(1), incoming: head(2) }
}

describe('the ledger of a node', () => {
  it('keeps what was measured over a restart, and forgets what it cannot read', async () => {
    const first = await open()
    first.sent(PEER, OPEN, 3 * MIB)
    first.received(PEER, OPEN, 9 * MIB)
    first.fetched(PEER, OPEN, undefined)
    first.fetched(PEER, OPEN, new CatalogError('STREAM_TRUNCATED', 'cut'))
    first.violated(PEER)
    const before = first.view.account(PEER)
    await first.stop()
    await database.write([{ type: 'put', key: accountKey('damaged'), value: Uint8Array.of(1, 2) }], {
      sync: true
    })
    const second = await open()
    expect(second.view.account(PEER)).toEqual(before)
    expect(before?.recent).toEqual({
      sentBytes: 3 * MIB,
      receivedBytes: 9 * MIB,
      transfers: 1,
      failures: 1,
      violations: 1
    })
    expect(second.view.account('damaged')).toBeUndefined()
    const { commits } = database
    const written = commits.length
    await second.stop()
    expect(commits).toHaveLength(written)
  })

  it('is left no trace by what is only in closed libraries', async () => {
    const ledger = await open()
    ledger.sent(PEER, CLOSED, MIB)
    ledger.received(PEER, CLOSED, MIB)
    ledger.fetched(PEER, CLOSED, undefined)
    ledger.fetched(PEER, CLOSED, new CatalogError('TIMEOUT', 'silence'))
    expect(ledger.view.account(PEER)).toBeUndefined()
    await ledger.stop()
    expect(database.commits).toEqual([])
  })

  it('counts a lie once: as the violation that whoever found it tells, not as a failure beside it', async () => {
    const ledger = await open()
    for (const code of ['BYTES_WRONG', 'PROTOCOL_VIOLATION', 'BUSY', 'SOURCE_SLOW', 'NOT_FOUND'] as const)
      ledger.fetched(PEER, OPEN, new CatalogError(code, 'as it goes'))
    expect(ledger.view.account(PEER)).toBeUndefined()
    await ledger.stop()
  })

  it('weighs everybody alike where peers are not to be served by what they gave', async () => {
    const ledger = await open({ isWeighing: false })
    ledger.received(PEER, OPEN, 1000 * MIB)
    expect(ledger.weightOf(PEER)).toBe(1)
    expect(ledger.view.scoreOf(PEER)).toBeGreaterThan(0.9)
    await ledger.stop()
  })

  it('writes later what could not be written', async () => {
    const ledger = await open()
    ledger.sent(PEER, OPEN, MIB)
    const { write } = database
    database.write = () => Promise.reject(new CatalogError('DISK_FULL', 'no room'))
    await ledger.stop()
    database.write = write
    await ledger.stop()
    expect((await open()).view.account(PEER)?.totalSentBytes).toBe(MIB)
  })

  it('has the stake of a peer forfeited whose key signed two stories, once, and over restarts', async () => {
    const liar = peerOf(WRITER)
    const first = await open()
    first.received(liar, OPEN, 1000 * MIB)
    evidence = [contradiction(true)]
    await first.convict()
    expect(first.weightOf(liar)).toBeGreaterThan(1)
    evidence = [contradiction(true), contradiction()]
    await first.convict()
    timeMs += 2000
    expect(first.weightOf(liar)).toBe(0.25)
    await first.stop()
    const second = await open()
    expect(second.weightOf(liar)).toBe(0.25)
    timeMs += 31 * DAY_MS
    await second.convict()
    expect(second.weightOf(liar)).toBeGreaterThan(0.9)
    await second.stop()
  })

  it('works on when the proof cannot be read', async () => {
    const ledger = await PeerLedger.open(
      {
        database,
        registry: { isOpen: () => true },
        sets: { evidence: () => Promise.reject(new CatalogError('CONTENT_CORRUPT', 'damaged')) },
        networkOf: () => '',
        clock,
        logger: silentLogger
      },
      { halfLifeMs: DAY_MS, isWeighing: true }
    )
    expect(ledger.weightOf(PEER)).toBe(1)
  })
})

describe('the standing of a peer', () => {
  it('is explained in numbers and words', async () => {
    const liar = peerOf(WRITER)
    const ledger = await open()
    ledger.received(liar, OPEN, 10 * MIB)
    ledger.sent(liar, OPEN, 20 * MIB)
    ledger.fetched(liar, OPEN, new CatalogError('TIMEOUT', 'silence'))
    ledger.violated(liar)
    evidence = [contradiction()]
    const bans = await PeerBans.open({ database, clock, logger: silentLogger })
    await bans.add(liar, 'a line')
    const refusal = new CatalogError('PEER_BANNED', 'banned')
    const modules = {
      ledger,
      bans,
      clock,
      health: { refusal: () => refusal },
      violations: { deniedForMs: () => 600_000 },
      sets: { evidence: async () => evidence as never }
    }
    const standing = await standingOf(modules, liar, signal)
    expect(standing).toMatchObject({
      peerId: liar,
      score: 0,
      weight: 0.25,
      creditBytes: -20 * MIB,
      ledger: {
        sentBytes: 20 * MIB,
        receivedBytes: 10 * MIB,
        ratio: 0.5,
        recent: { failures: 1, violations: 1 }
      },
      network: null,
      leftAlone: { code: 'PEER_BANNED' },
      deniedForMs: 600_000,
      contradictions: [{ epoch: 1, revision: 7, counts: true, roots: ['01'.repeat(32), '02'.repeat(32)] }],
      ban: { reason: 'a line' }
    })
    expect(standing.forfeitedUntil).toBe(new Date(timeMs + 30 * DAY_MS).toISOString())
    expect(standing.reasons).toEqual([
      expect.stringMatching(/^banned since .*: a line$/),
      expect.stringContaining('1 pair of heads that contradict each other'),
      expect.stringContaining('refused for 10m'),
      'of what counts (half of it after 7d) it gave 0 B and took 21.0 MB',
      'as a source it failed 1.0 of 1.0 times, which lowers its score',
      'it did 1.0 things against the protocols, each of which halves its score',
      'where what is sent is limited it gets 0.25 times as much as a newcomer'
    ])
    const stranger = await standingOf({ ...modules, health: { refusal: () => undefined } }, PEER, signal)
    expect(stranger).toMatchObject({ score: 0.5, weight: 1, ledger: { since: null, ratio: null }, ban: null })
    expect(stranger.receipts).toEqual({ shown: 0, adds: 0 })
    const giver = peerOf(keyOf('bob').publicKey)
    for (const [signer, words] of [
      [liar, '1 receipt for what it gave to them, which count for nothing'],
      [giver, '1 receipt for what it gave to them, which add 0.02 to its score']
    ] as const) {
      ledger.received(giver, OPEN, 10_000 * MIB)
      ledger.show(PEER, [{ signer, bytes: 10_000 * MIB, expires: timeMs + 1 }])
      const { receipts, reasons } = await standingOf(modules, PEER, signal)
      expect([receipts.shown, reasons.join()]).toEqual([1, expect.stringContaining(words)])
    }
    await ledger.stop()
  })
})

describe('how sources did', () => {
  const network = (sources: Array<{ peerId: string; bytes: number }>, failing: string[], isLost = false) =>
    ({
      fetchContent: async (
        _: unknown,
        __: unknown,
        watch: { onSourceFailed: (...args: unknown[]) => void }
      ) => {
        for (const peerId of failing) watch.onSourceFailed(peerId, new CatalogError('TIMEOUT', peerId))
        if (isLost) throw new CatalogError('NO_PROVIDERS', 'nobody is left')
        return { bytesFetched: 0, bytesReused: 0, sources }
      }
    }) as unknown as Network

  it.each([
    [
      'who brought something did well, whatever happened on the way',
      false,
      ['a well', 'b TIMEOUT', 'c well']
    ],
    ['in a fetch that failed nobody did well', true, ['a TIMEOUT', 'b TIMEOUT']]
  ])('%s', async (_what, isLost, expected) => {
    const told: string[] = []
    const sources = [
      { peerId: 'a', bytes: 1 },
      { peerId: 'b', bytes: 0 },
      { peerId: 'c', bytes: 1 }
    ]
    const noted = withOutcomes(network(sources, ['a', 'b', 'b'], isLost), (peerId, record, error) => {
      expect(record).toBe(OPEN)
      told.push(`${peerId} ${error?.code ?? 'well'}`)
    })
    const watch = { onProgress: () => {}, onSourceFailed: () => {} }
    await noted.fetchContent(OPEN, [], watch, signal).catch(() => undefined)
    expect(told.sort()).toEqual(expected)
  })
})
