/**
 * `npm run bench -- ingest`: a folder is published into the store of a daemon by the command line, until it is on disk, beside
 * cutting and hashing alone, and what others do with the same bytes: `openssl dgst -sha256` (reading and hashing), `cp -a && sync` (reading and
 * writing), and `restic` and `borg` (cutting, hashing, deduplicating, writing) where they are installed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../base/index.ts'
import { cutAndHashMs } from './support/cut-and-hash.ts'
import { type Dataset, largeFile, smallFiles } from './support/datasets.ts'
import { type BenchNode, startNode } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { BACKUPS, copyMs, opensslMs } from './support/tools.ts'

const LARGE_BYTES = 512 * MIB
const SMALL_FILES = 10_000

export const run = async (args: string[]): Promise<void> => {
  const part = args.includes('--quick') ? 8 : 1
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const node = await startNode(root, 'publisher')
  try {
    const large = largeFile(join(root, 'large'), LARGE_BYTES / part)
    const rows = await measure('one file', large, { node, root })
    rmSync(large.folder, { recursive: true })
    const small = smallFiles(join(root, 'small'), SMALL_FILES / part)
    rows.push(...(await measure(`${small.files} files`, small, { node, root })))
    report('ingest', { largeBytes: large.sizeBytes, smallBytes: small.sizeBytes }, rows)
  } finally {
    node.api.close()
    await node.daemon.stop()
    rmSync(root, { recursive: true, force: true })
  }
}

const measure = async (
  name: string,
  { folder, sizeBytes, files }: Dataset,
  { node, root }: { node: BenchNode; root: string }
): Promise<Row[]> => {
  const others = {
    'openssl dgst -sha256': opensslMs(folder),
    'cut and hash': cutAndHashMs(folder),
    'cp -a && sync': copyMs(folder, join(root, 'copy'))
  }
  const began = performance.now()
  await node.cli.json('publish', folder, '--name', `ingest-${files}`, '--version', '1.0.0')
  const publishMs = performance.now() - began
  const row = (who: string, ms: number): Row => ({
    name: `${name}: ${who}`,
    wallMs: round(ms),
    'MB/s': round(sizeBytes / 1e3 / ms),
    'speed of publish / this': round(ms / publishMs, 2),
    'speed / openssl': round(others['openssl dgst -sha256'] / ms, 2)
  })
  const rows = [row('publish', publishMs), ...Object.entries(others).map(([who, ms]) => row(who, ms))]
  for (const [who, backup] of Object.entries(BACKUPS)) {
    const ms = backup(folder, join(root, `${who}-${files}`))
    rows.push(ms === undefined ? { name: `${name}: ${who}`, wallMs: 'not installed' } : row(who, ms))
  }
  return rows
}
