import { statfs } from 'node:fs/promises'
import { type Clock, recently, SECOND_MS } from '../../base/index.ts'

/** A disk does not fill up, or get room, sooner than anybody could do something about it. */
const GOOD_FOR_MS = SECOND_MS

/** Bytes that this user may still write where a folder is; the system is asked once for all who ask within a second. */
export function createFreeBytes(
  { clock }: { clock: Pick<Clock, 'monotonicMs'> },
  { folder }: { folder: string }
): () => Promise<number> {
  return recently(clock, GOOD_FOR_MS, async () => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  })
}
