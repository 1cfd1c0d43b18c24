/** Looks at a library that nobody has open, and changes nothing in it. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '../base/index.ts'
import { BLOCK_ID_BYTES } from './content/blocks.ts'
import { nodeDisk } from './content/disk.ts'
import { countHoldings } from './content/holdings.ts'
import { type BlockLook, lookAtBlocks } from './content/look.ts'
import { BlockReader } from './content/reader.ts'
import { decodeTail } from './content/record.ts'
import { isRecovered } from './content/recovery.ts'
import { SegmentFiles } from './content/segment-files.ts'
import { TAIL_KEY } from './content/segment-modules.ts'
import type { Holdings, StoreStats } from './content/types.ts'
import { LevelReader, openLevel } from './database/level.ts'
import type { DatabaseReader } from './database/types.ts'
import { segmentsIn } from './held-state.ts'

export interface Inspection extends Holdings, StoreStats {
  /** False after a crash: the next start brings segments and index together. */
  isRecovered: boolean
  /** Bytes that the segments have, here and in the bucket. */
  segmentBytes: number
  look: BlockLook
}

export interface InspectOptions {
  /** Blocks that are hashed at most; all without it. */
  sampleBlocks?: number | undefined
  signal?: AbortSignal
}

/**
 * Undefined when there is no database yet. HOME_LOCKED when another process has it open, DISK_IO when it cannot be read. `inspectRows` is
 * given the database too.
 */
export async function inspectLibrary(
  home: string,
  { sampleBlocks, signal }: InspectOptions = {},
  inspectRows: (database: DatabaseReader) => void = () => undefined
): Promise<Inspection | undefined> {
  const databaseFolder = join(home, 'db')
  const segmentsFolder = join(home, 'segments')
  // Opening would make one.
  if (!existsSync(join(databaseFolder, 'CURRENT'))) return undefined
  const level = await openLevel(databaseFolder)
  const files = new SegmentFiles(segmentsFolder)
  try {
    const database = new LevelReader(level)
    inspectRows(database)
    const tail = decodeTail(database.get(TAIL_KEY))
    const { segments, away } = await segmentsIn(segmentsFolder, database)
    const reader = new BlockReader({
      index: database,
      files,
      log: silentLogger,
      onCorrupt: () => undefined
    })
    const look = await lookAtBlocks(
      { database, isGood: async id => (await reader.check(id)) === 'good' },
      {
        limit: sampleBlocks,
        from: randomBytes(BLOCK_ID_BYTES),
        without: new Set(away.map(({ segment }) => segment)),
        ...(signal && { signal })
      }
    )
    return {
      ...(await countHoldings(database)),
      bytes: tail.totalBytes,
      chunks: tail.blocks,
      isRecovered: await isRecovered(nodeDisk, segmentsFolder, tail),
      segmentBytes: [...segments, ...away].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      look
    }
  } finally {
    await files.close()
    await level.close()
  }
}
