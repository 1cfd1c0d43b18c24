import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 128 * KIB

/** A region goes down with the publisher in it; what it has published is got from the mirrors elsewhere. */
export const regionLoss: Scenario = {
  name: 'region-loss',
  description:
    "the publisher's region is killed: its release is fetched elsewhere, and the region comes back",
  size: {
    topology: 'mesh',
    regions: ['eu', 'us', 'ap'],
    counts: { seed: 2, publisher: 1, mirror: 3, consumer: 2 }
  },

  steps({ network, work, faults }) {
    const { region } = work.node('publisher').plan
    const inside = network.nodes.filter(({ plan }) => plan.region === region)
    const outside = network.nodes.filter(({ plan }) => plan.region !== region)
    let release: PublishedRelease
    return [
      action('a release comes out', async signal => {
        release = await work.publish(work.node('publisher'), RELEASE_BYTES, signal)
      }),
      expectation('a mirror in another region holds it', async signal => {
        const mirrors = outside.filter(({ plan }) => plan.role === 'mirror')
        const holders = await work.holdersOf(release, mirrors, signal)
        return holders.length > 0 ? undefined : `no mirror outside of ${region} holds it`
      }),
      action('the region of its publisher is killed', async signal => {
        await Promise.all(inside.map(({ name }) => faults.apply({ kind: 'kill', node: name }, signal)))
      }),
      action('consumers elsewhere fetch it', async signal => {
        const consumers = outside.filter(({ plan }) => plan.role === 'consumer')
        await Promise.all(consumers.map(consumer => work.fetch(consumer, release, signal)))
      }),
      action('the region comes back', async () => await faults.revertAll()),
      expectation('its nodes have peers again', signal => work.firstFault(inside, 1, signal))
    ]
  }
}
