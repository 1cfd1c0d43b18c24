/** Heads that are dated ahead, by the clock of their writer or because the one here is behind. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { MAX_CLOCK_AHEAD_MS } from '../../../library/index.ts'
import { readHead } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { numbered } from '../sync/homes.ts'
import { DAY_MS, FollowingWorld, HOUR_MS, MINUTE_MS } from './following-world.ts'

let world: FollowingWorld

beforeEach(async () => {
  world = await FollowingWorld.open()
})
afterEach(() => world.close())

describe('a head that is dated ahead', () => {
  /** One that counts so much later, of a later epoch so that nothing else is said of it. */
  const countingIn = (ms: number): Uint8Array => {
    const time = world.clock.now() + MAX_CLOCK_AHEAD_MS + ms
    return world.headLike({ time, expires: time + HOUR_MS, epoch: time })
  }
  const known = (): Uint8Array =>
    readHead(world.reader.reader, world.writer.library, world.writer.key.publicKey)!.bytes

  test('is followed from who told it when it counts, and nothing of it is kept before', async () => {
    const before = known()
    await world.following.heard(world.mirror, countingIn(90 * MINUTE_MS))
    expect(known()).toEqual(before)
    await world.clock.advance(89 * MINUTE_MS, MINUTE_MS)
    expect(world.runs, 'not before').toHaveLength(1)
    await world.clock.advance(MINUTE_MS, MINUTE_MS)
    await eventually(() => world.runs.length === 2)
    expect(world.runs[1]).toBe(world.mirror.toString())
  })

  test('is not waited for when it counts in more than a day', async () => {
    await world.following.heard(world.mirror, countingIn(DAY_MS + MINUTE_MS))
    // The copy would be compared once a day without it.
    await world.clock.advance(DAY_MS - MINUTE_MS, HOUR_MS / 2)
    expect(world.runs).toHaveLength(1)
    expect(known()).toEqual(world.headOf())
  })

  test('and seen in a session only, is asked for again when it counts, not when failures end', async () => {
    const countsMs = world.clock.now() + 7 * HOUR_MS
    world.outcome = () => {
      if (world.clock.now() >= countsMs) return
      const details = { datedMs: countsMs + MAX_CLOCK_AHEAD_MS }
      throw new CatalogError('RECORD_EARLY', 'the record is dated ahead', { details })
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await world.clock.advance(countsMs - world.clock.now() - MINUTE_MS, MINUTE_MS)
    expect(world.following.status()).toMatchObject([{ state: 'failing', error: 'RECORD_EARLY' }])
    expect(world.followed).toHaveLength(1)
    await world.clock.advance(2 * MINUTE_MS, MINUTE_MS)
    // From the writer as well, which has told the same by then.
    await eventually(() => world.followed.length >= 2)
    expect(world.following.status()).toMatchObject([{ state: 'waiting' }])
  })

  test('by a moment, again and again, costs no more than a writer that fails once', async () => {
    world.outcome = () => {
      const details = { datedMs: world.clock.now() + MAX_CLOCK_AHEAD_MS + 1 }
      throw new CatalogError('RECORD_EARLY', 'the record is dated ahead', { details })
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await world.clock.advance(MINUTE_MS, 1000)
    expect(world.runs.length).toBeLessThanOrEqual(1 + 2 + 60 / 5)
    expect(world.runs.length).toBeGreaterThan(5)
  })
})
