/**
 * A look at blocks: whether each is where the index says, and is what it says. Ids are hashes, so those that follow one another in
 * the index stand all over the segments: some rows from any place on are as good a sample as there is.
 */
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { decodeLocation } from './record.ts'
import type { BlockId } from './types.ts'

export interface LookOptions {
  /** Blocks at most; all without it. */
  limit?: number | undefined
  /** Where in the index to begin: any id. */
  from?: BlockId
  /** Segments that are not looked into. */
  without?: ReadonlySet<number>
  signal?: AbortSignal
}

export interface BlockLook {
  /** That were looked at. */
  blocks: number
  /** Of them those that are damaged or gone. */
  bad: number
}

export async function lookAtBlocks(
  { database, isGood }: { database: DatabaseReader; isGood(id: BlockId): Promise<boolean> },
  { limit = Number.POSITIVE_INFINITY, from, without, signal }: LookOptions
): Promise<BlockLook> {
  const look: BlockLook = { blocks: 0, bad: 0 }
  const prefix = makeKey(KeyFamily.Block)
  const starts = from === undefined ? [undefined] : [makeKey(KeyFamily.Block, from), undefined]
  let first: string | undefined
  for (const after of starts) {
    for await (const [key, value] of database.iterate(after ? { prefix, after } : { prefix }, signal)) {
      const id = Uint8Array.from(key.subarray(KeyFamily.Block.length))
      const text = Buffer.from(id).toString('latin1')
      // All the way round.
      if (look.blocks >= limit || text === first) return look
      first ??= text
      if (without?.has(decodeLocation(value).segment) === true) continue
      look.blocks++
      if (!(await isGood(id))) look.bad++
    }
  }
  return look
}
