/**
 * `npm run bench -- read [--quick]`: a daemon streams a content from its store to a client on its socket, every block hashed on the
 * way, and checks it where it lies (`catalog verify`), beside `openssl dgst -sha256` over the same bytes as files.
 */
import type { Dataset } from './support/datasets.ts'
import type { BenchNode } from './support/network.ts'
import { type Row, round } from './support/report.ts'
import { benchStores, type StoreBench, speed, timed } from './support/store-bench.ts'
import { opensslMs } from './support/tools.ts'

export const run = (args: string[]): Promise<void> =>
  benchStores('read', args, async start => [await start('holder')] as const, measure)

const measure = async (
  what: string,
  { folder, sizeBytes, files }: Dataset,
  { nodes: [node] }: StoreBench<readonly [BenchNode]>
): Promise<Row[]> => {
  const packageName = `read-${files}`
  const { content } = await node.cli.json<{ content: string }>(
    'publish',
    folder,
    '--name',
    packageName,
    '--version',
    '1.0.0'
  )
  const hashMs = opensslMs(folder)
  const cpuBefore = node.stats().cpuMs
  const streamMs = await timed(() => node.api.drain(`/v1/contents/${content}/tar`))
  const streamCpuMs = node.stats().cpuMs - cpuBefore
  const verifyMs = await timed(() => node.cli.json('verify', packageName))
  const row = (who: string, ms: number): Row => ({
    name: `${what}: ${who}`,
    ...speed(sizeBytes, ms),
    'x openssl': round(hashMs / ms, 2)
  })
  return [
    { ...row('verified stream', streamMs), 'CPU ms': streamCpuMs },
    row('catalog verify', verifyMs),
    row('openssl dgst -sha256', hashMs)
  ]
}
