import { KIB, SECOND_MS } from '../../../base/index.ts'
import { runSchedule, scheduleFaults } from '../../faults/schedule.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 64 * KIB
const SCHEDULE = {
  kinds: [
    'latency',
    'loss',
    'rate',
    'kill',
    'pause',
    'restart',
    'slow-disk',
    'clock-skew',
    'cpu-pressure',
    'corrupt-segment'
  ],
  count: 12,
  lastMs: 40 * SECOND_MS,
  forMs: 5 * SECOND_MS
} as const

/** Whatever the seed brings; the same seed brings the same. Afterwards all is well by itself. */
export const randomFaults: Scenario = {
  name: 'random-faults',
  description:
    'a dozen faults at times that the seed decides: afterwards all nodes are well, and a release is got',
  size: {
    topology: 'hierarchical',
    regions: ['eu', 'us'],
    counts: { seed: 1, publisher: 1, mirror: 2, consumer: 2 }
  },

  steps({ network, work, faults, random, clock }) {
    const schedule = scheduleFaults(network.plan, {
      ...SCHEDULE,
      seed: random.fork('schedule').next().toString()
    })
    let release: PublishedRelease
    return [
      action('faults come and go', signal => runSchedule({ faults, clock }, schedule, signal)),
      expectation('all nodes are well', signal => work.firstFault(network.nodes, 1, signal)),
      action('a release comes out', async signal => {
        release = await work.publish(work.node('publisher'), RELEASE_BYTES, signal)
      }),
      action('consumers fetch it', async signal => {
        for (const consumer of work.nodes('consumer')) await work.fetch(consumer, release, signal)
      })
    ]
  }
}
