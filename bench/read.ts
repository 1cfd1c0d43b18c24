/**
 * `npm run bench -- read`: a daemon streams a content from its store to a client on its socket, every block hashed on the
 * way, and checks it where it lies (`catalog verify`), beside `openssl dgst -sha256` over the same bytes as files.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../base/index.ts'
import { type Dataset, largeFile, smallFiles } from './support/datasets.ts'
import { type BenchNode, startNode } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { opensslMs } from './support/tools.ts'

const LARGE_BYTES = 512 * MIB
const SMALL_FILES = 10_000

export const run = async (args: string[]): Promise<void> => {
  const part = args.includes('--quick') ? 8 : 1
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const node = await startNode(root, 'holder')
  try {
    const large = largeFile(join(root, 'large'), LARGE_BYTES / part)
    const small = smallFiles(join(root, 'small'), SMALL_FILES / part)
    const rows = [
      ...(await measure('one file', large, node)),
      ...(await measure(`${small.files} files`, small, node))
    ]
    report('read', { largeBytes: large.sizeBytes, smallBytes: small.sizeBytes }, rows)
  } finally {
    node.api.close()
    await node.daemon.stop()
    rmSync(root, { recursive: true, force: true })
  }
}

const measure = async (
  name: string,
  { folder, sizeBytes, files }: Dataset,
  node: BenchNode
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
    name: `${name}: ${who}`,
    wallMs: round(ms),
    'MB/s': round(sizeBytes / 1e3 / ms),
    'x openssl': round(hashMs / ms, 2)
  })
  return [
    { ...row('verified stream', streamMs), 'CPU ms': streamCpuMs },
    row('catalog verify', verifyMs),
    row('openssl dgst -sha256', hashMs)
  ]
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}
