import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import type { PublishedRelease } from '../work.ts'

const RELEASES_PER_PUBLISHER = 15
/** Publishes under way at each publisher. */
const AT_ONCE = 3
const RELEASE_BYTES = 32 * KIB

/** All publishers publish as fast as they can; nothing of it is lost, and a consumer gets each of them. */
export const publishStorm: Scenario = {
  name: 'publish-storm',
  description: 'all publishers publish as fast as they can: each release is found and fetched, and mirrored',
  size: {
    topology: 'mesh',
    regions: ['eu', 'us'],
    counts: { seed: 1, publisher: 2, mirror: 2, consumer: 1 }
  },

  steps({ work }) {
    const published: PublishedRelease[] = []
    const publishOne = async (publisher: (typeof publishers)[number], signal: AbortSignal): Promise<void> => {
      for (let count = 0; count < RELEASES_PER_PUBLISHER / AT_ONCE; count++)
        published.push(await work.publish(publisher, RELEASE_BYTES, signal))
    }
    const publishers = work.nodes('publisher')
    return [
      action('publishers publish all at once', async signal => {
        const writers = publishers.flatMap(publisher => Array.from({ length: AT_ONCE }, () => publisher))
        await Promise.all(writers.map(publisher => publishOne(publisher, signal)))
      }),
      action('a consumer fetches every release', async signal => {
        for (const release of published) await work.fetch(work.node('consumer'), release, signal)
      }),
      expectation('each release has a mirror', async signal => {
        const held = await Promise.all(
          published.map(one => work.holdersOf(one, work.nodes('mirror'), signal))
        )
        const alone = held.filter(holders => holders.length === 0).length
        return alone === 0 ? undefined : `${alone} of ${published.length} releases have no mirror`
      })
    ]
  }
}
