import { beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, type ErrorCode, systemClock } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { FetchFailures } from '../../../node/services/fetch-failures.ts'
import type { ContentFetched, Network } from '../../../node/services/network.ts'
import { PeerHealth } from '../../../node/services/peer-health.ts'
import { sparePeers } from '../../../node/services/spare-peers.ts'
import { createStatus } from '../../../node/services/status.ts'
import { createWhy } from '../../../node/services/why.ts'
import { asGiven } from './as-given.ts'
import { nothingBlocked } from './nothing-blocked.ts'
import { MANUAL } from './policies.ts'
import { WHOLE } from './whole.ts'

let timeMs = 0
const clock = { ...systemClock, now: () => timeMs, monotonicMs: () => timeMs }
const signal = new AbortController().signal
const failing = (code: ErrorCode) => async (): Promise<never> => {
  throw new CatalogError(code, 'it went wrong')
}
const watch = { onProgress: () => {}, onSourceFailed: () => {} }

beforeEach(() => {
  timeMs = 1_000_000
})

async function fail(health: PeerHealth, peerId: string, times: number, code: ErrorCode = 'DIAL_FAILED') {
  for (let i = 0; i < times; i++) await health.ask(peerId, failing(code)).catch(() => undefined)
}

describe('a peer that keeps failing', () => {
  it('is left alone for a while, with the reason, and then gets one chance', async () => {
    const health = new PeerHealth({ clock })
    await fail(health, 'p1', 4)
    expect(health.skipped()).toEqual([])
    await fail(health, 'p1', 1)
    expect(health.skipped()).toEqual([{ peerId: 'p1', reason: 'DIAL_FAILED: it went wrong', forMs: 30_000 }])
    await expect(health.ask('p1', async () => 'never runs')).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      message: expect.stringContaining('DIAL_FAILED: it went wrong'),
      hint: expect.stringContaining('--from'),
      details: { peerId: 'p1', retryAfterMs: 30_000 }
    })
    timeMs += 30_000
    await fail(health, 'p1', 1)
    expect(health.skipped()).toHaveLength(1)
    timeMs += 30_000
    expect(await health.ask('p1', async () => 'fine')).toBe('fine')
    await fail(health, 'p1', 4)
    expect(health.skipped()).toEqual([])
  })

  it('is told of each time, and of each time that it answered, but not of what says nothing about it', async () => {
    const told: Array<[peerId: string, isFailure: boolean]> = []
    const health = new PeerHealth({ clock, onOutcome: (...outcome) => told.push(outcome) })
    await health.ask('p1', async () => 'fine')
    await fail(health, 'p1', 1)
    await fail(health, 'p1', 1, 'NOT_FOUND')
    await fail(health, 'p1', 1, 'TIMEOUT') // cut short by somebody else
    await health.note('p2', undefined)
    await health.note('p2', new CatalogError('BYTES_WRONG', 'lies'))
    expect(told).toEqual([
      ['p1', false],
      ['p1', true],
      ['p2', false],
      ['p2', true]
    ])
  })

  it('is asked again as soon as it has come back', async () => {
    const health = new PeerHealth({ clock })
    await fail(health, 'p1', 5)
    health.met('p1')
    health.met('never met')
    expect(await health.ask('p1', async () => 'fine')).toBe('fine')
    expect(health.skipped()).toEqual([])
  })

  it.each<ErrorCode>(['BUSY', 'RELEASE_NOT_FOUND', 'ABORTED', 'NOT_FOUND', 'DISK_FULL'])(
    'is not one that answers %s',
    async code => {
      const health = new PeerHealth({ clock })
      await fail(health, 'p1', 10, code)
      expect(health.refusal('p1')).toBeUndefined()
    }
  )

  it('is not one whose answer was waited for less than a second', async () => {
    const health = new PeerHealth({ clock })
    await fail(health, 'p1', 10, 'TIMEOUT')
    expect(health.refusal('p1')).toBeUndefined()
    const slow = async (): Promise<never> => {
      timeMs += 5000
      return await failing('TIMEOUT')()
    }
    for (let i = 0; i < 5; i++) await health.ask('p1', slow).catch(() => undefined)
    expect(health.refusal('p1')).toBeDefined()
  })
})

describe('a network that spares peers', () => {
  const record = {} as ReleaseRecord
  const fetched = (peerId: string, bytes = 10): ContentFetched => ({
    bytesFetched: bytes,
    bytesReused: 0,
    sources: [{ peerId, bytes }]
  })

  it('fetches from the others, and from nobody when there are no others', async () => {
    const health = new PeerHealth({ clock })
    await fail(health, 'bad', 5)
    const asked: string[][] = []
    const network = {
      fetchContent: async (_record: unknown, peerIds: string[]) => {
        asked.push(peerIds)
        return fetched('good')
      }
    } as unknown as Network
    const spared = sparePeers(network, health)
    await spared.fetchContent(record, ['bad', 'good'], watch, signal)
    expect(asked).toEqual([['good']])
    await expect(spared.fetchContent(record, ['bad'], watch, signal)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN'
    })
    expect(asked).toHaveLength(1)
    await network.fetchContent(record, ['bad'], watch, signal)
    expect(asked).toEqual([['good'], ['bad']])
  })

  it('counts a source once for each transfer, and not when it brought something in the end', async () => {
    const health = new PeerHealth({ clock })
    const error = new CatalogError('STREAM_TRUNCATED', 'cut')
    const network = {
      fetchContent: async (_record: unknown, _peers: unknown, told: typeof watch) => {
        const { onSourceFailed } = told as { onSourceFailed(peerId: string, error: CatalogError): void }
        for (const peerId of ['bad', 'bad', 'shaky']) onSourceFailed(peerId, error)
        return fetched('shaky')
      }
    } as unknown as Network
    const spared = sparePeers(network, health)
    for (let i = 0; i < 4; i++) await spared.fetchContent(record, ['bad', 'shaky'], watch, signal)
    expect(health.skipped()).toEqual([])
    await spared.fetchContent(record, ['bad', 'shaky'], watch, signal)
    expect(health.skipped().map(({ peerId }) => peerId)).toEqual(['bad'])
  })
})

describe('what went wrong', () => {
  it('is told by why: the last failure of each release and of each source, and who is left alone', async () => {
    const health = new PeerHealth({ clock })
    const failures = new FetchFailures({ clock })
    const error = (code: ErrorCode): CatalogError => new CatalogError(code, 'told')
    failures.failed({ name: 'demo' }, error('NO_PROVIDERS'))
    failures.failed({ name: 'other' }, error('NO_PROVIDERS'))
    timeMs += 1000
    failures.failed({ name: 'demo', version: '1.0.0' }, error('BYTES_WRONG'))
    failures.failed({ name: 'demo', version: '1.0.0' }, error('STREAM_TRUNCATED'))
    failures.sourceFailed({ name: 'demo', version: '1.0.0' }, 'p1', error('STREAM_TRUNCATED'))
    timeMs += 2000
    await fail(health, 'p1', 5)
    const why = createWhy({
      failures,
      health,
      clock,
      logger: { debug: () => {} } as never,
      operations: { list: () => [] } as never,
      content: {} as never,
      access: { of: async () => 'public' },
      policies: MANUAL,
      blocking: nothingBlocked,
      registry: { versions: async () => [], async *entries() {}, ownerPin: () => undefined } as never,
      network: { connected: () => ['p1'], async *holders() {} } as never,
      topology: asGiven
    })
    const told = await why.why('demo', signal)
    expect(told.problem).toBe('NO_PROVIDERS')
    expect(told.failures).toMatchObject([
      { version: '1.0.0', code: 'STREAM_TRUNCATED', ageMs: 2000, at: new Date(1_001_000).toISOString() },
      { code: 'NO_PROVIDERS', ageMs: 3000 }
    ])
    expect(told.sourceFailures).toMatchObject([{ peerId: 'p1', code: 'STREAM_TRUNCATED', ageMs: 2000 }])
    expect(told.skipped).toMatchObject([{ peerId: 'p1', forMs: 30_000 }])
    expect(told.reasons.join('\n')).toMatch(
      /a fetch of demo@1\.0\.0 failed 2 s ago: STREAM_TRUNCATED.*p1 failed as a source.*p1 failed repeatedly/s
    )
    failures.succeeded({ name: 'demo', version: '1.0.0' })
    expect((await why.why('demo', signal)).failures).toEqual([])
  })

  it('is part of the health when most peers fail', async () => {
    const skipped = [{ peerId: 'p1', reason: 'DIAL_FAILED: down', forMs: 1000 }]
    const statusWith = (peers: number) =>
      createStatus(
        {
          lifecycle: { state: 'running' } as never,
          operations: { running: 0 } as never,
          peerId: () => '',
          publicKey: new Uint8Array(32),
          addresses: () => [],
          peers: () => peers,
          partition: () => WHOLE,
          reachability: () => ({ state: 'local', relays: [] }),
          library: () => ({ revision: 0, releases: 0 }),
          root: async () => null,
          store: () => ({ bytes: 0, chunks: 0 }),
          freeBytes: async () => 1e12,
          alerts: () => [],
          anomalies: () => [],
          tuned: () => [],
          rssBytes: () => 0,
          uptimeMs: () => 0,
          scrub: () => undefined,
          holdings: async () => ({ complete: 0, damaged: 0, isUnchecked: false }),
          queues: () => ({ fetches: 0 }),
          skipped: () => skipped,
          rates: async () => ({}),
          limits: () => ({ up: 0, down: 0 })
        },
        { version: '', quotaBytes: 0, peersWanted: 1 }
      ).status()
    expect(await statusWith(1)).toMatchObject({
      queues: { skippedPeers: 1 },
      health: { score: 0.75, reasons: [expect.stringContaining('p1: DIAL_FAILED: down')] }
    })
    expect((await statusWith(9)).health).toEqual({ score: 1, reasons: [] })
  })
})
