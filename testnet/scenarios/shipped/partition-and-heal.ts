import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 64 * KIB

/** The network falls into two parts; each goes on, and both are one again when the way is back. */
export const partitionAndHeal: Scenario = {
  name: 'partition-and-heal',
  description:
    'a region is cut off: both sides notice and go on working, and have all of each other soon after the way is back',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us'],
    counts: { seed: 2, publisher: 2, consumer: 2 }
  },

  steps({ network, work, faults, measures, clock }) {
    const cutOff = work.nodes('publisher').at(-1)!.plan.region
    const isInside = ({ plan }: { plan: { region: string } }): boolean => plan.region === cutOff
    const sides = [network.nodes.filter(isInside), network.nodes.filter(node => !isInside(node))]
    const published: PublishedRelease[] = []
    let healedAtMs = 0

    const inRole = (side: number, role: string) => sides[side]!.find(({ plan }) => plan.role === role)!
    const stateFault = async (state: string, signal: AbortSignal): Promise<string | undefined> => {
      for (const node of network.nodes) {
        const { partition } = await work.status(node, signal)
        if (partition.state !== state) return `${node.name} sees a network that is ${partition.state}`
      }
      return undefined
    }
    return [
      // Who has few peers on the other side misses few, and rightly takes the network for whole.
      expectation('all know each other', signal =>
        work.firstFault(network.nodes, network.nodes.length - 1, signal)
      ),
      action(`${cutOff} is cut off`, async signal => {
        await faults.apply({ kind: 'partition', region: cutOff }, signal)
      }),
      expectation('all notice', signal => stateFault('partitioned', signal)),
      action('both sides publish, and fetch what is theirs', async signal => {
        for (const side of [0, 1]) {
          const release = await work.publish(inRole(side, 'publisher'), RELEASE_BYTES, signal)
          await work.fetch(inRole(side, 'consumer'), release, signal)
          published.push(release)
        }
      }),
      action('the way is back', async () => {
        await faults.revertAll()
        healedAtMs = clock.monotonicMs()
      }),
      expectation('the network is whole for all', async signal => {
        const fault = await stateFault('whole', signal)
        if (fault === undefined) measures.add('heal', clock.monotonicMs() - healedAtMs)
        return fault
      }),
      action("each side fetches the other's release", async signal => {
        await work.fetch(inRole(0, 'consumer'), published[1]!, signal)
        await work.fetch(inRole(1, 'consumer'), published[0]!, signal)
      })
    ]
  }
}
