import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 128 * KIB

/** The power goes out everywhere at once; what was acknowledged is there when it is back. */
export const everythingKilled: Scenario = {
  name: 'everything-killed',
  description:
    'all nodes are killed at once: they start again, find each other, and nothing acknowledged is lost',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us'],
    counts: { seed: 1, publisher: 1, mirror: 1, consumer: 2 }
  },

  steps({ network, work, faults, measures }) {
    const [reader, latecomer] = work.nodes('consumer')
    let release: PublishedRelease
    return [
      action('a release comes out, and a consumer fetches it', async signal => {
        release = await work.publish(work.node('publisher'), RELEASE_BYTES, signal)
        await work.fetch(reader!, release, signal)
      }),
      action('all nodes are killed at once', async signal => {
        await Promise.all(network.nodes.map(({ name }) => faults.apply({ kind: 'kill', node: name }, signal)))
      }),
      action('all start again', async () => await measures.time('start all', () => faults.revertAll())),
      expectation('they find each other', signal => work.firstFault(network.nodes, 1, signal)),
      expectation('who had it has it', async signal => {
        const having = [work.node('publisher'), reader!]
        const holders = await work.holdersOf(release, having, signal)
        return holders.length === having.length ? undefined : `${holders.length} of ${having.length} have it`
      }),
      action('another consumer fetches it', signal => work.fetch(latecomer!, release, signal))
    ]
  }
}
