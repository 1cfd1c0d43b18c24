import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 64 * KIB

/** All that others have joined through is gone; who is in the network stays in it, and comes back after a restart. */
export const seedLost: Scenario = {
  name: 'seed-lost',
  description:
    'all seeds are killed: the others publish, find and fetch, and one that restarts meanwhile finds them again',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us'],
    counts: { seed: 1, publisher: 1, mirror: 1, consumer: 2 }
  },

  steps({ network, work, faults }) {
    const restarted = work.nodes('consumer')[0]!
    let release: PublishedRelease
    return [
      expectation('all know the network', signal => work.firstFault(network.nodes, work.enoughPeers, signal)),
      action('all seeds are killed', async signal => {
        for (const { name } of work.nodes('seed')) await faults.apply({ kind: 'kill', node: name }, signal)
      }),
      action('a release comes out', async signal => {
        release = await work.publish(work.node('publisher'), RELEASE_BYTES, signal)
      }),
      action('a consumer restarts', async signal => {
        await faults.apply({ kind: 'restart', node: restarted.name }, signal)
      }),
      expectation('it finds the others again', async signal => {
        const { peers } = await work.status(restarted, signal)
        return peers > 0 ? undefined : 'it has no peers'
      }),
      action('consumers fetch the release', async signal => {
        for (const consumer of work.nodes('consumer')) await work.fetch(consumer, release, signal)
      })
    ]
  }
}
