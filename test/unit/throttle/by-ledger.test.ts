/** Who is served how much, by what a ledger says of peers: the whole way from what was measured to the turns, on a clock of the test. */
import { describe, expect, it } from 'vitest'
import { DAY_MS, MIB, silentLogger } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { PeerLedger } from '../../../node/services/peer-ledger.ts'
import { createThrottle, type Throttle } from '../../../protocols/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { openMemory } from '../registry/databases.ts'

const RATE = 4 * MIB
const RECORD = {} as ReleaseRecord
const STEP_MS = 5
const PIECE_BYTES = 64 * 1024

async function scene(isWeighing: boolean) {
  const clock = new ManualClock()
  const ledger = await PeerLedger.open(
    {
      database: await openMemory(),
      registry: { isOpen: () => true },
      sets: { evidence: async () => [] },
      networkOf: () => '',
      clock,
      logger: silentLogger
    },
    { halfLifeMs: DAY_MS, isWeighing }
  )
  const throttle = createThrottle(
    { clock, isPrivate: () => false, weightOf: ledger.weightOf },
    {
      total: { up: RATE, down: RATE },
      perPeer: { up: 0, down: 0 },
      windows: [],
      classes: [],
      burst: 4 * PIECE_BYTES,
      isPrivateLimited: true
    }
  )
  return { clock, ledger, throttle }
}

/** What each peer gets in so much time when all ask for as much as they can; what is sent is told to the ledger. */
async function race(
  { clock, ledger, throttle }: { clock: ManualClock; ledger: PeerLedger; throttle: Throttle },
  direction: 'upload' | 'download',
  peers: Array<[peerId: string, streams: number]>
): Promise<number[]> {
  const over = new AbortController()
  const got = new Map(peers.map(([peerId]) => [peerId, 0]))
  const run = async (peerId: string): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        await throttle[direction].take(peerId, 'normal', PIECE_BYTES, over.signal)
      } catch {
        return
      }
      got.set(peerId, got.get(peerId)! + PIECE_BYTES)
      if (direction === 'upload') ledger.sent(peerId, RECORD, PIECE_BYTES)
    }
  }
  for (const [peerId, streams] of peers) for (let i = 0; i < streams; i++) void run(peerId)
  await new Promise(resolve => setImmediate(resolve))
  await clock.advance(4000, STEP_MS)
  over.abort(new Error('over'))
  return [...got.values()]
}

describe('where what is sent is limited', () => {
  it.each([
    ['who gave gets as much more than a newcomer as the ledger says', true],
    ['all get the same when they are not to be served by what they gave', false]
  ])('%s', async (_what, isWeighing) => {
    const it = await scene(isWeighing)
    it.ledger.received('giver', RECORD, 1000 * MIB)
    // More streams gain nothing.
    const [giver, newcomer] = (await race(it, 'upload', [
      ['giver', 1],
      ['newcomer', 8]
    ])) as [number, number]
    const said = it.ledger.weighed('giver') / it.ledger.weighed('newcomer')
    if (isWeighing) expect(said).toBeGreaterThan(3)
    else expect(said).toBe(1)
    expect(giver / newcomer / said).toBeGreaterThan(0.85)
    expect(giver / newcomer / said).toBeLessThan(1.15)
    expect(it.ledger.view.account('newcomer')?.totalSentBytes).toBe(newcomer)
  })

  it('who only took gets less, and something', async () => {
    const it = await scene(true)
    it.ledger.sent('taker', RECORD, 100_000 * MIB)
    const [taker, newcomer] = (await race(it, 'upload', [
      ['taker', 8],
      ['newcomer', 1]
    ])) as [number, number]
    expect(newcomer / taker).toBeGreaterThan(3)
    expect(newcomer / taker).toBeLessThan(5)
  })

  it('what is asked for is shared equally, whatever peers gave', async () => {
    const it = await scene(true)
    it.ledger.received('giver', RECORD, 1000 * MIB)
    const [giver, taker] = (await race(it, 'download', [
      ['giver', 2],
      ['taker', 2]
    ])) as [number, number]
    expect(giver / taker).toBeCloseTo(1, 1)
  })
})
