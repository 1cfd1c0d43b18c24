/** Content of subscriptions: when a library is gone through, and what ends when it is followed no more. Fetches are as told. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { createReleaseRecord } from '../../../library/index.ts'
import { EventHub } from '../../../node/events.ts'
import { FollowedContent } from '../../../node/services/followed-content.ts'
import { formatAddress } from '../../../node/services/library-address.ts'
import { type Subscription, subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const RECORD = createReleaseRecord(small({ name: 'one', content: contentOf('one') }), keyOf('ada'))
const [ada, bob] = subscriptionsOf(['ada', 'bob'].map(name => `${peerOf(keyOf(name).publicKey)} all`)) as [
  Subscription,
  Subscription
]

let clock: ManualClock
let content: FollowedContent
let fetches: number
let fetching: (signal: AbortSignal) => Promise<void>
beforeEach(() => {
  clock = new ManualClock()
  fetches = 0
  fetching = async () => undefined
  content = new FollowedContent(
    {
      blocking: nothingBlocked,
      sets: { followedReleases: async () => ({ releases: [RECORD] }) },
      content: { localState: () => 'none' },
      registry: { get: () => RECORD, status: () => undefined, entries: async function* () {} },
      fetching: {
        fetch: async (_, { signal }) => {
          fetches++
          await fetching(signal)
          return { bytesFetched: 1 } as never
        }
      },
      events: new EventHub({ clock }),
      clock,
      logger: silentLogger,
      random: () => 0
    },
    { classes: [] }
  )
  content.start()
})
afterEach(() => content.stop())

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

test('a library that was gone through is gone through again when it has changed, or after it was followed in another way', async () => {
  content.followed(ada, { state: 'updated' })
  await eventually(() => fetches === 1)
  content.followed(ada, { state: 'equal' })
  await clock.advance(1000)
  expect(fetches, 'nothing has changed').toBe(1)
  content.followed(ada, { state: 'updated' })
  await eventually(() => fetches === 2)
  await content.ended(ada)
  content.followed(ada, { state: 'equal' })
  await eventually(() => fetches === 3)
})

test('content of what a filter means comes only, and of the rest when the filter has changed', async () => {
  const [vms, some] = ['type:vm', `prefix:${RECORD.release.name}`].map(
    condition => subscriptionsOf([`${formatAddress(ada)} all ${condition}`])[0]!
  ) as [Subscription, Subscription]
  content.followed(vms, { state: 'updated' })
  content.followed(bob, { state: 'updated' })
  await eventually(() => fetches === 1)
  await content.ended(vms)
  content.followed(some, { state: 'equal' })
  await eventually(() => fetches === 2)
})

test('a fetch of a library that is followed no more ends at once, those of others go on', async () => {
  fetching = untilAborted
  content.followed(ada, { state: 'updated' })
  await eventually(() => fetches === 1)
  content.followed(bob, { state: 'updated' })
  await content.ended(bob)
  fetching = async () => undefined
  await content.ended(ada)
  await clock.advance(60 * 60_000, 60_000)
  expect(fetches, 'nor is any of the two tried again').toBe(1)
  content.followed(bob, { state: 'updated' })
  await eventually(() => fetches === 2)
})

test('what could not be had is not asked for again once the library is followed no more', async () => {
  fetching = async () => {
    throw new Error('nobody has it')
  }
  content.followed(ada, { state: 'updated' })
  await eventually(() => fetches === 1)
  await clock.advance(5000)
  await eventually(() => fetches === 2)
  await content.ended(ada)
  await clock.advance(60 * 60_000, 60_000)
  expect(fetches).toBe(2)
})
