/** All that is followed, compared at once: as after a partition of the network. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { eventually } from '../../eventually.ts'
import { numbered } from '../sync/homes.ts'
import { DAY_MS, FollowingWorld, HOUR_MS, MINUTE_MS } from './following-world.ts'

let world: FollowingWorld
beforeEach(async () => {
  world = await FollowingWorld.open()
})
afterEach(() => world.close())

describe('all that is followed', () => {
  const soon = (): AbortSignal => AbortSignal.timeout(20_000)

  test('is compared at once when that is asked for, however often it failed before', async () => {
    const away = new CatalogError('DIAL_FAILED', 'away')
    world.outcome = () => {
      throw away
    }
    await world.clock.advance(DAY_MS, HOUR_MS)
    await world.clock.advance(2 * HOUR_MS, MINUTE_MS)
    const before = world.runs.length
    expect(before).toBeGreaterThan(3)
    await world.clock.advance(1000)
    expect(world.runs, 'it waits for longer and longer').toHaveLength(before)
    world.outcome = () => undefined
    expect(await world.following.compareAll(soon())).toBe(1)
    expect(world.runs).toHaveLength(before + 1)
  })

  test('is told as equal only when it is', async () => {
    world.outcome = () => {
      throw new CatalogError('DIAL_FAILED', 'away')
    }
    expect(await world.following.compareAll(soon())).toBe(0)
    expect(world.runs).toHaveLength(2)
  })

  test('has a session that was under way end, and another one after it', async () => {
    const held = Promise.withResolvers<void>()
    world.session = async () => await held.promise
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    const compared = world.following.compareAll(soon())
    world.session = async () => undefined
    held.reject(new CatalogError('STREAM_TRUNCATED', 'the way was gone'))
    await world.clock.advance(200, 50)
    expect(world.runs).toHaveLength(2)
    await world.clock.advance(10_000)
    expect(await compared).toBe(1)
    expect(world.runs).toHaveLength(3)
  })

  test('is waited for no longer than the signal says', async () => {
    world.session = signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    expect(await world.following.compareAll(AbortSignal.timeout(50))).toBe(0)
  })
})
