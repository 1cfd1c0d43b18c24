import { KIB } from '../../../base/index.ts'
import type { RunningNode } from '../../drivers/driver.ts'
import { action, expectation, type Scenario, type Step } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 64 * KIB

/** One node after the other restarts, with a new program when one is given; nobody notices. */
export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  description:
    'nodes restart one after the other, as for an upgrade: releases of before and of meanwhile are there for a consumer',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us'],
    counts: { seed: 1, publisher: 1, mirror: 2, consumer: 1 }
  },

  steps({ network, work, faults, measures, upgradeTo }) {
    const published: PublishedRelease[] = []
    const consumer = work.node('consumer')
    const publish = async (signal: AbortSignal): Promise<void> => {
      published.push(await work.publish(work.node('publisher'), RELEASE_BYTES, signal))
    }
    const restart = (node: RunningNode): Step[] => [
      action(`${node.name} restarts`, async signal => {
        const program = upgradeTo === undefined ? {} : { program: upgradeTo }
        await measures.time('restart', () =>
          faults.apply({ kind: 'restart', node: node.name, ...program }, signal)
        )
      }),
      expectation(`${node.name} has peers again`, signal => work.faultOf(node, 1, signal))
    ]
    return [
      action('a release comes out', publish),
      ...network.nodes.flatMap(restart),
      action('another release comes out', publish),
      action('a consumer fetches both', async signal => {
        for (const release of published) await work.fetch(consumer, release, signal)
      })
    ]
  }
}
