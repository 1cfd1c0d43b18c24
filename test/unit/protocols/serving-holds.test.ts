import { expect, it } from 'vitest'
import { DAY_MS, KIB, MINUTE_MS } from '../../../base/index.ts'
import { ServingHolds } from '../../../protocols/content/serving-holds.ts'
import { contentOf } from '../records/examples.ts'
import { ManualClock } from './manual-clock.ts'

/** At the least rate this takes two minutes, so the allowance is twelve. */
const release = { content: contentOf('held'), sizeBytes: 120 * 32 * KIB }

function setUp() {
  const clock = new ManualClock()
  let held = 0
  const store = {
    hold: () => {
      held++
      return () => void held--
    }
  }
  return { clock, holds: new ServingHolds({ store, clock }), held: () => held }
}

it('holds a content until the stream ends', async () => {
  const { clock, holds, held } = setUp()
  const ends = [holds.take('a', release), holds.take('a', release), holds.take('b', release)]
  expect(held()).toBe(3)
  for (const end of ends) end()
  await clock.advance(1)
  expect(held()).toBe(0)
  for (const end of ends) end()
  expect(held()).toBe(0)
})

it('lets go when the peer has had the time for all of it, and is not held again by a new stream', async () => {
  const { clock, holds, held } = setUp()
  holds.take('a', release)
  await clock.advance(7 * MINUTE_MS, MINUTE_MS)
  holds.take('a', release)
  expect(held()).toBe(2)
  await clock.advance(5 * MINUTE_MS, MINUTE_MS)
  expect(held()).toBe(0)
  const end = holds.take('a', release)
  expect(held()).toBe(0)
  end()
  // Others, and other contents, have their own.
  holds.take('b', release)
  holds.take('a', { ...release, content: contentOf('another') })
  expect(held()).toBe(2)
})

it('holds what takes more than a timer can wait for as long as one can', async () => {
  const { clock, holds, held } = setUp()
  holds.take('a', { ...release, sizeBytes: 2 ** 50 })
  await clock.advance(19 * DAY_MS, DAY_MS)
  expect(held()).toBe(1)
  await clock.advance(DAY_MS, DAY_MS)
  expect(held()).toBe(0)
})

it('gives a peer that comes again after a day a new allowance', async () => {
  const { clock, holds, held } = setUp()
  holds.take('a', release)
  await clock.advance(12 * MINUTE_MS + DAY_MS, DAY_MS / 8)
  expect(held()).toBe(0)
  holds.take('a', release)
  expect(held()).toBe(1)
})
