/** Followed libraries whose writers are away: when others are looked for, and what becomes of who is found. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { eventually } from '../../eventually.ts'
import { DAY_MS, FollowingWorld, HOUR_MS, MINUTE_MS, newPeerId } from './following-world.ts'

let world: FollowingWorld
let writer: string
let holder: string
/** Peers that can be reached. */
let online: string[]
beforeEach(async () => {
  world = await FollowingWorld.open()
  writer = peerOf(world.writer.key.publicKey)
  holder = (await newPeerId()).toString()
  online = []
  world.connected = []
  world.outcome = peer => {
    if (!online.includes(peer)) throw new CatalogError('DIAL_FAILED', 'away')
  }
})
afterEach(() => world.close())

/** Until the library is compared again. */
const interval = (): Promise<void> => world.clock.advance(DAY_MS, HOUR_MS / 2)

describe('a writer that cannot be reached', () => {
  test('has others looked for, who are asked at once', async () => {
    online = [holder]
    world.holders = () => {
      world.connected = [holder]
      return [holder]
    }
    await interval()
    await eventually(() => world.followed.length === 2)
    expect(world.runs.slice(1)).toEqual([writer, holder])
    expect(world.searches).toBe(1)
    world.holders = () => []
    await interval()
    await eventually(() => world.runs.length === 4)
    await world.clock.advance(5000)
    await eventually(() => world.followed.length === 3)
    expect(world.runs.slice(3), 'they are remembered, behind a writer that should have signed again').toEqual(
      [writer, holder]
    )
  })

  test('has others looked for once a minute at most, and who fails is not asked at once again', async () => {
    world.holders = () => {
      world.connected = [holder]
      return [holder]
    }
    await world.clock.advance(DAY_MS - MINUTE_MS, HOUR_MS / 2)
    await world.clock.advance(MINUTE_MS, 1000)
    await eventually(() => world.runs.length === 3)
    await world.clock.advance(MINUTE_MS - 1000, 1000)
    expect(world.searches).toBe(1)
    const asked = world.runs.filter(peer => peer === holder).length
    expect(asked, 'later and later').toBeLessThan(4)
    await world.clock.advance(10 * MINUTE_MS, 1000)
    expect(world.searches).toBeGreaterThan(1)
    expect(world.searches).toBeLessThan(10)
    expect(world.runs.filter(peer => peer === holder).length).toBeLessThan(10)
  })

  test('is the only one that is tried where nobody is found', async () => {
    await interval()
    await eventually(() => world.searches === 1)
    await world.clock.advance(5 * MINUTE_MS, 1000)
    expect(new Set(world.runs.slice(1))).toEqual(new Set([writer]))
    expect(world.following.status()).toMatchObject([{ state: 'failing', error: 'DIAL_FAILED' }])
  })

  test('and nobody is looked for while it is connected, though it fails', async () => {
    world.connected = [writer]
    await interval()
    await eventually(() => world.runs.length === 2)
    await world.clock.advance(MINUTE_MS, 1000)
    expect(world.searches).toBe(0)
  })

  test('ends what is looked for when the library is followed no more', async () => {
    let signal: AbortSignal | undefined
    world.holders = ended => {
      signal = ended
      return new Promise((_, reject) => ended.addEventListener('abort', () => reject(ended.reason)))
    }
    await interval()
    await eventually(() => world.searches === 1)
    await world.following.change([])
    expect(signal?.aborted).toBe(true)
    expect(world.ended).toHaveLength(1)
    expect(world.searches).toBe(1)
  })
})
