/**
 * `npm run bench -- eventloop [--quick]`: how long the event loop of a daemon is held up while the command line publishes 1 GiB to it
 * and a peer fetches another release from it. What is neither the publisher's daemon nor the idle reference is load.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB, MIB } from '../base/index.ts'
import { largeFile } from './support/datasets.ts'
import { type LoopDelay, measureLoopDelay } from './support/loop-delay.ts'
import { startNetwork } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'

export const run = async (args: string[]): Promise<void> => {
  const sizeBytes = args.includes('--quick') ? 128 * MIB : GIB
  const network = await startNetwork()
  const { publisher, consumer, root } = network
  try {
    const served = largeFile(join(root, 'served'), sizeBytes, 'served')
    await publisher.cli.json('publish', served.folder, '--name', 'served', '--version', '1.0.0')
    rmSync(served.folder, { recursive: true })
    const published = largeFile(join(root, 'published'), sizeBytes, 'published')
    const { daemon, reference, tookMs } = await measureLoopDelay(
      () =>
        Promise.all([
          publisher.cli.json('publish', published.folder, '--name', 'published', '--version', '1.0.0'),
          consumer.api.operate('/v1/fetches', { spec: 'served' })
        ]),
      { pid: publisher.daemon.pid, readMetrics: () => publisher.api.text('/metrics') }
    )
    const rows = [row('daemon that publishes and serves', daemon), row('idle process beside it', reference)]
    report('eventloop', { publishedBytes: sizeBytes, servedBytes: sizeBytes, tookMs: round(tookMs) }, rows)
  } finally {
    await network.close()
  }
}

const row = (name: string, { p50Ms, p99Ms, maxMs }: LoopDelay): Row => ({
  name,
  'p50 ms': round(p50Ms, 2),
  'p99 ms': round(p99Ms, 2),
  'max ms': round(maxMs, 2)
})
