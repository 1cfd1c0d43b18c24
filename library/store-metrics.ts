/** What the store holds and how much room it has, read when metrics are collected. */
import { statfs } from 'node:fs/promises'
import type { PartMetrics } from '../base/index.ts'
import { nodeDisk } from './content/disk.ts'
import { listSegments } from './content/local-segments.ts'
import type { LocalContentStore } from './content/store.ts'

export function registerStoreMetrics(
  metrics: PartMetrics<'library'>,
  content: Pick<LocalContentStore, 'stats' | 'holdings'>,
  { segmentsFolder, quotaBytes }: { segmentsFolder: string; quotaBytes: number }
): void {
  metrics.gauge('content_segments_bytes', () => content.stats().bytes)
  metrics.gauge('content_stored_blocks', () => content.stats().chunks)
  metrics.gauge('content_quota_bytes', () => quotaBytes)
  metrics.gauge('content_whole_contents', async () => (await content.holdings()).complete)
  metrics.gauge('content_damaged_contents', async () => (await content.holdings()).damaged)
  metrics.gauge('content_local_segments', async () => (await listSegments(nodeDisk, segmentsFolder)).length)
  metrics.gauge('disk_free_bytes', async () => {
    const { bavail, bsize } = await statfs(segmentsFolder)
    return bavail * bsize
  })
}
