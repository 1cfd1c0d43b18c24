import { KIB, MIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASE_BYTES = 256 * KIB
const DISK_BYTES = 192 * MIB
const DELAY_MS = 100

/** A consumer's disk gets slow, and then full: it says so, fetches when it can, and answers all the time. */
export const slowDisk: Scenario = {
  name: 'slow-disk',
  description:
    'the disk of a consumer gets slow, then full: it fetches slowly, refuses, and fetches again once there is room',
  size: {
    topology: 'mesh',
    regions: ['eu'],
    counts: { seed: 1, publisher: 1, consumer: 1 },
    diskBytes: { consumer1: DISK_BYTES }
  },

  steps({ network, work, faults, measures }) {
    const consumer = network.node('consumer1')
    const releases: PublishedRelease[] = []
    return [
      action('two releases come out', async signal => {
        for (let count = 0; count < 2; count++)
          releases.push(await work.publish(work.node('publisher'), RELEASE_BYTES, signal))
      }),
      action('it fetches one with a slow disk, and answers meanwhile', async signal => {
        const slow = await faults.apply(
          { kind: 'slow-disk', node: consumer.name, diskDelayMs: DELAY_MS },
          signal
        )
        const fetching = new AbortController()
        const look = async (): Promise<void> => {
          while (!fetching.signal.aborted) await measures.time('status', () => work.status(consumer, signal))
        }
        const fetch = work.fetch(consumer, releases[0]!, signal).finally(() => fetching.abort())
        await Promise.all([fetch, look()])
        await faults.revert(slow, signal)
      }),
      action('it refuses the other when the disk is full', async signal => {
        const full = await faults.apply({ kind: 'disk-full', node: consumer.name, leaveBytes: 0 }, signal)
        const code = await work.failureOf(consumer, releases[1]!, signal)
        if (code !== 'DISK_FULL') throw new Error(`a fetch on a full disk ended with ${code ?? 'success'}`)
        await faults.revert(full, signal)
      }),
      action('it fetches the other once there is room', signal => work.fetch(consumer, releases[1]!, signal)),
      expectation('it is well', signal => work.faultOf(consumer, 1, signal))
    ]
  }
}
