/**
 * `npm run bench -- install [--quick]`: from the request to verified files on disk, two real daemons on loopback: `catalog install`, which
 * writes files while later ones still arrive, beside `catalog fetch` and then `catalog install`, which is what one after
 * the other takes. Each time to a node that has nothing; once as fast as it goes, once at a rate. The cores are those that all
 * three processes kept busy on average: where it is all that the machine has, only less work could be faster.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB } from '../base/index.ts'
import { type Dataset, largeFile, smallFiles } from './support/datasets.ts'
import { type BenchNetwork, type BenchNode, startNetwork } from './support/network.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const SMALL_FILES = 10_000
/** A line of 200 Mbit/s. */
const RATE = 25_000_000

export const run = async (args: string[]): Promise<void> => {
  const part = args.includes('--quick') ? 8 : 1
  const network = await startNetwork()
  try {
    const work = join(network.root, 'data')
    const rows: Row[] = []
    for (const data of [
      largeFile(join(work, 'large'), GIB / part),
      smallFiles(join(work, 'small'), SMALL_FILES / part)
    ]) {
      const name = `installed-${data.files}`
      await network.publisher.cli.json('publish', data.folder, '--name', name, '--version', '1.0.0')
      rmSync(data.folder, { recursive: true })
      for (const rate of [0, RATE]) rows.push(await measure(network, name, data, rate))
    }
    report('install', { rate: RATE, largeBytes: GIB / part, smallFiles: SMALL_FILES / part }, rows)
  } finally {
    await network.close()
  }
}

const measure = async (network: BenchNetwork, spec: string, data: Dataset, rate: number): Promise<Row> => {
  const what = `${spec.replaceAll('-', ' ')} files${rate === 0 ? '' : ', limited'}`
  const apart = await timed(network, `apart-${spec}-${rate}`, rate, async ({ cli }, target) => {
    await cli.json('fetch', spec)
    await cli.json('install', spec, '--to', target)
  })
  const together = await timed(network, `together-${spec}-${rate}`, rate, async ({ cli }, target) => {
    await cli.json('install', spec, '--to', target)
  })
  return {
    name: what,
    'fetch, then install ms': round(apart.tookMs),
    'its cores': round(apart.cpuMs / apart.tookMs, 2),
    'install ms': round(together.tookMs),
    'install cores': round(together.cpuMs / together.tookMs, 2),
    ratio: round(together.tookMs / apart.tookMs, 2),
    'install MB/s': round(data.sizeBytes / 1e3 / together.tookMs)
  }
}

/** How long `work` took at a node that has nothing and fetches at this rate, and the CPU time of publisher, node and commands. */
const timed = async (
  network: BenchNetwork,
  who: string,
  rate: number,
  work: (node: BenchNode, target: string) => Promise<void>
): Promise<{ tookMs: number; cpuMs: number }> => {
  const node = await network.join(who)
  const set = (key: string, value: string): Promise<unknown> =>
    node.api.call('PUT', `/v1/config/limits.${key}`, { value })
  await set('private', 'true')
  await set('down', String(rate))
  const target = join(network.root, `target-${who}`)
  const cpu = (): number =>
    network.publisher.stats().cpuMs + node.stats().cpuMs + processStats(process.pid).childrenCpuMs
  const [began, cpuBefore] = [performance.now(), cpu()]
  await work(node, target)
  const [tookMs, cpuMs] = [performance.now() - began, cpu() - cpuBefore]
  rmSync(target, { recursive: true })
  // It would be one more source for the next.
  await node.api.call('POST', '/v1/pause')
  return { tookMs, cpuMs }
}
