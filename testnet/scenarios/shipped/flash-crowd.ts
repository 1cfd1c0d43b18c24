import { MIB } from '../../../base/index.ts'
import { action, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 2 * MIB

/** Everybody wants the same release at the same moment, over links that are not fast. */
export const flashCrowd: Scenario = {
  name: 'flash-crowd',
  description: 'all consumers fetch a new release at once over links of 50 Mbit/s: each gets it whole',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us', 'ap'],
    counts: { seed: 1, publisher: 1, mirror: 1, consumer: 4 }
  },

  steps({ network, work, faults }) {
    let release: PublishedRelease
    return [
      action('links have 50 Mbit/s', async signal => {
        for (const pair of Object.keys(network.plan.delaysMs)) {
          const between = pair.split(' ') as [string, string]
          await faults.apply({ kind: 'rate', between, rateMbit: 50 }, signal)
        }
      }),
      action('a release comes out', async signal => {
        release = await work.publish(work.node('publisher'), RELEASE_BYTES, signal)
      }),
      action('all consumers fetch it at once', async signal => {
        await Promise.all(work.nodes('consumer').map(consumer => work.fetch(consumer, release, signal)))
      })
    ]
  }
}
