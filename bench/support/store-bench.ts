/**
 * The frame of the benchmarks of a store: nodes that are started for it, one large file and many small ones that are given to
 * them one after the other, and a report of what each took.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../../base/index.ts'
import type { CatalogPlace } from '../../scripts/quickstart/catalog.ts'
import { type Dataset, largeFile, smallFiles } from './datasets.ts'
import { type BenchNode, startNode, stopNode } from './network.ts'
import { type Row, report, round } from './report.ts'

const LARGE_BYTES = 512 * MIB
const SMALL_FILES = 10_000
/** With `--quick` so much less. */
const QUICK_PART = 8

/** Starts a node that is stopped at the end. */
type StartNode = (who: string, place?: CatalogPlace) => Promise<BenchNode>

export interface StoreBench<N> {
  nodes: N
  /** A folder for whatever the measurement writes; it goes at the end. */
  root: string
}

/** `measure` publishes one dataset, reads it, or what it is about; its rows are named by `what`. */
export const benchStores = async <N extends readonly BenchNode[]>(
  benchmark: string,
  args: string[],
  startNodes: (start: StartNode) => Promise<N>,
  measure: (what: string, data: Dataset, bench: StoreBench<N>) => Promise<Row[]>
): Promise<void> => {
  const part = args.includes('--quick') ? QUICK_PART : 1
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const started: BenchNode[] = []
  try {
    const nodes = await startNodes(async (who, place) => {
      const node = await startNode(root, who, undefined, place)
      started.push(node)
      return node
    })
    const large = largeFile(join(root, 'large'), LARGE_BYTES / part)
    const rows = await measure('one file', large, { nodes, root })
    rmSync(large.folder, { recursive: true })
    const small = smallFiles(join(root, 'small'), SMALL_FILES / part)
    rows.push(...(await measure(`${small.files} files`, small, { nodes, root })))
    report(benchmark, { largeBytes: large.sizeBytes, smallBytes: small.sizeBytes }, rows)
  } finally {
    for (const node of started) await stopNode(node)
    rmSync(root, { recursive: true, force: true })
  }
}

/** Milliseconds that work takes. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** The columns that all of them have. */
export const speed = (sizeBytes: number, ms: number): { wallMs: number; 'MB/s': number } => ({
  wallMs: round(ms),
  'MB/s': round(sizeBytes / 1e3 / ms)
})
