import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HOUR_MS, type Logger, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import type { PlacedKey } from '../../../discovery/announce/placement.ts'
import { SweepProgress } from '../../../discovery/announce/progress.ts'
import { RESUME_WITHIN_MS, SWEEP_INTERVAL_MS, slotOf } from '../../../discovery/announce/schedule.ts'
import { Sweeper } from '../../../discovery/announce/sweeper.ts'
import { kademliaId, nameKey } from '../../../discovery/keys.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryDatabase } from './memory-database.ts'

/** Keys that lie in one slot, enough for a pass of several regions. */
const SLOT = 5
const KEYS = Array.from({ length: 3000 }, (_, i) => nameKey(`one-${i}`)).filter(
  key => slotOf(kademliaId(key)) === SLOT
)
const LATER_MS = SWEEP_INTERVAL_MS + HOUR_MS

describe('a pass through a slot', () => {
  let clock: FakeClock
  let database: MemoryDatabase
  let sweeper: Sweeper
  /** Keys of each pass that was begun, and how many keys find a holder before the network is gone. */
  let passes: string[][]
  let keys: Uint8Array[]
  let taken: number
  let retried: string[]
  let warnings: number

  function open(): Sweeper {
    const stub = {
      claim: async () => undefined,
      retryLater: async (keys: readonly PlacedKey[]) => {
        retried.push(...keys.map(({ text }) => text))
      },
      sweep: async (
        keys: readonly PlacedKey[],
        _: unknown,
        onRegion: (keys: readonly PlacedKey[]) => Promise<boolean>
      ) => {
        if (keys.length === 0) return
        passes.push(keys.map(({ text }) => text))
        for (let i = 0; i < keys.length; i += 5) {
          const region = keys.slice(i, i + 5)
          // The last key of each region is taken by nobody.
          taken -= region.length
          if (taken >= 0) for (const key of region.slice(0, -1)) key.holders.add('somebody')
          if (!(await onRegion(region))) return
        }
      }
    }
    const log: Logger = { ...silentLogger, warn: () => warnings++ }
    return new Sweeper(
      {
        announcer: stub,
        delivery: stub,
        progress: new SweepProgress(database),
        source: async function* () {
          yield* keys
        },
        hasPeers: () => true,
        clock,
        log,
        random: () => 0
      },
      kademliaId(Buffer.from('self'))
    )
  }

  beforeEach(async () => {
    clock = new FakeClock()
    database = new MemoryDatabase()
    passes = []
    keys = KEYS
    retried = []
    taken = Number.POSITIVE_INFINITY
    warnings = 0
    sweeper = open()
    await sweeper.start()
  })
  afterEach(() => sweeper.stop())

  async function restart(): Promise<void> {
    await sweeper.stop()
    sweeper = open()
    await sweeper.start()
  }

  it('goes on after the last region that was announced, also after a restart', async () => {
    taken = 20
    while (passes.length < 2) await clock.advance(MINUTE_MS)
    expect(passes.map(({ length }) => length)).toEqual([KEYS.length, KEYS.length - 20])
    passes = []
    taken = Number.POSITIVE_INFINITY
    await restart()
    await clock.advance(MINUTE_MS)
    expect(passes.map(({ length }) => length)).toEqual([KEYS.length - 20])
    expect(sweeper.stats().lateMs).toBe(0)
  })

  it('begins anew when the interrupted pass is too old for its first keys', async () => {
    taken = 20
    await clock.advance(LATER_MS, MINUTE_MS)
    await sweeper.stop()
    await clock.advance(RESUME_WITHIN_MS + MINUTE_MS)
    passes = []
    taken = Number.POSITIVE_INFINITY
    await restart()
    await clock.advance(MINUTE_MS)
    expect(passes.map(({ length }) => length)).toEqual([KEYS.length])
  })

  it('has keys that nobody took tried again soon', async () => {
    await clock.advance(LATER_MS, MINUTE_MS)
    expect(retried).toHaveLength(Math.ceil(KEYS.length / 5))
    expect(sweeper.stats().keys).toBe(KEYS.length)
  })

  it('warns when it falls behind, once an hour', async () => {
    taken = 0
    await clock.advance(LATER_MS, MINUTE_MS)
    const before = warnings
    await clock.advance(5 * HOUR_MS, MINUTE_MS)
    expect(warnings - before).toBeGreaterThanOrEqual(3)
    expect(warnings - before).toBeLessThanOrEqual(6)
    expect(sweeper.stats().lateMs).toBeGreaterThan(5 * HOUR_MS)
  })

  it('writes nothing while there is no key, and from the first key on keeps when its cycle began', async () => {
    await sweeper.stop()
    database = new MemoryDatabase()
    keys = []
    sweeper = open()
    await sweeper.start()
    await clock.advance(LATER_MS, MINUTE_MS)
    expect(database.writes).toBe(0)
    expect(sweeper.stats().slotsDone).toBeGreaterThan(0)
    keys = KEYS
    await sweeper.keysCame()
    const { nextDueAt } = sweeper.stats()
    await clock.advance(HOUR_MS / 60)
    await restart()
    expect(Math.abs(sweeper.stats().nextDueAt - nextDueAt)).toBeLessThan(HOUR_MS)
    await clock.advance(LATER_MS, MINUTE_MS)
    expect(passes.flat()).toHaveLength(KEYS.length)
  })
})
