/**
 * Reads many blocks at once into places of the caller's choice. Blocks that stand one after another in a
 * segment, as those of one publish do, come in one scattered read straight to their places; the record heads
 * between them go to a scrap buffer. So a thousand small files cost a few reads, and nothing is copied.
 */
import { Semaphore } from '../../base/index.ts'
import type { BlockReader } from './reader.ts'
import { type BlockLocation, RECORD_HEAD_BYTES } from './record.ts'

/** Places of one scattered read: the system's limit is 1,024, and each block but the first takes two. */
const MAX_RUN_BLOCKS = 500
/** Reads under way at once, so that scattered blocks leave the thread pool room for others. */
const MAX_READS = 4

/** A block and the memory for it, as long as it is at rest. */
export interface ReadSlot {
  readonly location: BlockLocation
  readonly target: Uint8Array
}

/** Fills the slots; returns those whose bytes did not all come. Nothing is verified. */
export async function readScattered<S extends ReadSlot>(
  reader: Pick<BlockReader, 'readRun'>,
  slots: readonly S[]
): Promise<Set<S>> {
  const reads = new Semaphore({ name: 'block reads', maxActive: MAX_READS, maxWaiting: slots.length })
  const lost = new Set<S>()
  const readRun = async (run: S[]): Promise<void> => {
    const { segment, offsetBytes } = run[0]!.location
    const targets = run.flatMap(({ target }, i) => (i === 0 ? [target] : [scrap, target]))
    if (await reader.readRun(segment, targets, offsetBytes + RECORD_HEAD_BYTES)) return
    for (const slot of run) lost.add(slot)
  }
  await Promise.all(runsOf(slots).map(run => reads.run(() => readRun(run))))
  return lost
}

/** Splits slots where the next block does not follow on disk. */
function runsOf<S extends ReadSlot>(slots: readonly S[]): S[][] {
  const runs: S[][] = []
  let run: S[] = []
  for (const slot of slots) {
    const before = run.at(-1)
    if (before !== undefined && follows(before.location, slot.location) && run.length < MAX_RUN_BLOCKS) {
      run.push(slot)
      continue
    }
    run = [slot]
    runs.push(run)
  }
  return runs
}

function follows(before: BlockLocation, after: BlockLocation): boolean {
  return (
    before.segment === after.segment &&
    before.offsetBytes + RECORD_HEAD_BYTES + before.lengthBytes === after.offsetBytes
  )
}

const scrap = Buffer.allocUnsafeSlow(RECORD_HEAD_BYTES)
