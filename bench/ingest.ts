/**
 * `npm run bench -- ingest [--quick]`: a folder is published into the store of a daemon by the command line, until it is on disk, beside
 * cutting and hashing alone, and what others do with the same bytes: `openssl dgst -sha256` (reading and hashing), `cp -a && sync` (reading and
 * writing), and `restic` and `borg` (cutting, hashing, deduplicating, writing) where they are installed.
 */
import { join } from 'node:path'
import { cutAndHashMs } from './support/cut-and-hash.ts'
import type { Dataset } from './support/datasets.ts'
import type { BenchNode } from './support/network.ts'
import { type Row, round } from './support/report.ts'
import { benchStores, type StoreBench, speed, timed } from './support/store-bench.ts'
import { BACKUPS, copyMs, opensslMs } from './support/tools.ts'

export const run = (args: string[]): Promise<void> =>
  benchStores('ingest', args, async start => [await start('publisher')] as const, measure)

const measure = async (
  what: string,
  { folder, sizeBytes, files }: Dataset,
  { nodes: [node], root }: StoreBench<readonly [BenchNode]>
): Promise<Row[]> => {
  const others = {
    'openssl dgst -sha256': opensslMs(folder),
    'cut and hash': cutAndHashMs(folder),
    'cp -a && sync': copyMs(folder, join(root, 'copy'))
  }
  const publishMs = await timed(() =>
    node.cli.json('publish', folder, '--name', `ingest-${files}`, '--version', '1.0.0')
  )
  const row = (who: string, ms: number): Row => ({
    name: `${what}: ${who}`,
    ...speed(sizeBytes, ms),
    'speed of publish / this': round(ms / publishMs, 2),
    'speed / openssl': round(others['openssl dgst -sha256'] / ms, 2)
  })
  const rows = [row('publish', publishMs), ...Object.entries(others).map(([who, ms]) => row(who, ms))]
  for (const [who, backup] of Object.entries(BACKUPS)) {
    const ms = backup(folder, join(root, `${who}-${files}`))
    rows.push(ms === undefined ? { name: `${what}: ${who}`, wallMs: 'not installed' } : row(who, ms))
  }
  return rows
}
