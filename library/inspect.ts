/** Looks at a library that nobody has open, and changes nothing in it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nodeDisk } from './content/disk.ts'
import { countHoldings } from './content/holdings.ts'
import { decodeTail } from './content/record.ts'
import { isRecovered } from './content/recovery.ts'
import { TAIL_KEY } from './content/segment-modules.ts'
import type { Holdings, StoreStats } from './content/types.ts'
import { LevelReader, openLevel } from './database/level.ts'

export interface Inspection extends Holdings, StoreStats {
  /** False after a crash: the next start brings segments and index together. */
  isRecovered: boolean
}

/**
 * Undefined when there is no database yet. HOME_LOCKED when another process has it open, DISK_IO when it cannot be read.
 */
export async function inspectLibrary(home: string): Promise<Inspection | undefined> {
  const databaseFolder = join(home, 'db')
  // Opening would make one.
  if (!existsSync(join(databaseFolder, 'CURRENT'))) return undefined
  const level = await openLevel(databaseFolder)
  try {
    const database = new LevelReader(level)
    const tail = decodeTail(database.get(TAIL_KEY))
    return {
      ...(await countHoldings(database)),
      bytes: tail.totalBytes,
      chunks: tail.blocks,
      isRecovered: await isRecovered(nodeDisk, join(home, 'segments'), tail)
    }
  } finally {
    await level.close()
  }
}
