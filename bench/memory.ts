/**
 * `npm run bench -- memory [GIB]`: what two daemons take above their idle memory while a file of 20 GiB is published to one and
 * fetched by the other. It needs three times that much disk until the publish is done, then two.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB, systemClock } from '../base/index.ts'
import { largeFile } from './support/datasets.ts'
import { type BenchNode, startNetwork } from './support/network.ts'
import { resetPeak } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const DEFAULT_GIB = 20
/** Anonymous memory has no peak of its own in Linux: it is looked at this often. */
const SAMPLE_MS = 200

export const run = async (args: string[]): Promise<void> => {
  const gib = Number(args[0] ?? DEFAULT_GIB)
  if (!(gib > 0)) throw new Error(`"${args[0]}" is no size in GiB`)
  const network = await startNetwork()
  const { publisher, consumer, root } = network
  const idle = new Map([publisher, consumer].map(node => [node, node.stats()]))
  const rows: Row[] = []
  const measured = async (name: string, nodes: Record<string, BenchNode>, work: () => Promise<unknown>) => {
    const began = performance.now()
    const peaks = await peaksDuring(Object.values(nodes), work)
    const wallMs = performance.now() - began
    Object.entries(nodes).forEach(([who, node], i) => {
      const { rssMb, rssAnonMb } = idle.get(node)!
      rows.push({
        name: `${name}: ${who}`,
        'MB/s': round((gib * GIB) / 1e3 / wallMs),
        'idle RSS MB': rssMb,
        'peak above idle MB': round(peaks[i]!.rssMb - rssMb),
        'of it anonymous MB': round(peaks[i]!.anonMb - rssAnonMb)
      })
    })
  }
  try {
    const { folder } = largeFile(join(root, 'large'), gib * GIB)
    await measured('publish', { source: publisher }, () =>
      publisher.cli.json('publish', folder, '--name', 'large', '--version', '1.0.0', '--wait', '1')
    )
    rmSync(folder, { recursive: true })
    await measured('fetch', { source: publisher, sink: consumer }, () =>
      consumer.api.operate('/v1/fetches', { spec: 'large' })
    )
    report('memory', { gib }, rows)
  } finally {
    await network.close()
  }
}

const peaksDuring = async (
  nodes: BenchNode[],
  work: () => Promise<unknown>
): Promise<Array<{ rssMb: number; anonMb: number }>> => {
  for (const { daemon } of nodes) resetPeak(daemon.pid)
  const anonMb = nodes.map(() => 0)
  const done = new AbortController()
  const sampling = (async () => {
    while (!done.signal.aborted) {
      nodes.forEach((node, i) => {
        anonMb[i] = Math.max(anonMb[i]!, node.stats().rssAnonMb)
      })
      await systemClock.wait(SAMPLE_MS, done.signal).catch(() => undefined)
    }
  })()
  try {
    await work()
  } finally {
    done.abort()
    await sampling
  }
  return nodes.map((node, i) => ({ rssMb: node.stats().peakRssMb, anonMb: anonMb[i]! }))
}
