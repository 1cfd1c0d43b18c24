/**
 * One step of the slow check of everything at rest: hashes the next blocks in the order of the index, whatever segment they
 * stand in. The reader takes what is wrong out of the index, and the contents that need it lose their mark (damage.ts).
 */
import type { BlockReader } from '../content/reader.ts'
import { decodeLocation } from '../content/record.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { LevelWriter } from '../database/level.ts'
import type { Scheduler } from './scheduler.ts'

export interface ScrubRequest {
  /** Id of the block that the step before ended with; absent at the beginning of a pass. */
  after?: Uint8Array
  /** Bytes at rest that are read at most, and one block. */
  maxBytes: number
}

export interface ScrubStep {
  /** Where the next step goes on; absent at the end of the pass. */
  after?: Uint8Array
  blocks: number
  bytes: number
  corrupt: number
}

export async function scrub(
  modules: { writer: LevelWriter; reader: BlockReader; scheduler: Scheduler },
  { after, maxBytes }: ScrubRequest,
  signal: AbortSignal
): Promise<ScrubStep> {
  const { writer, reader, scheduler } = modules
  const prefix = makeKey(KeyFamily.Block)
  const range = after === undefined ? { prefix } : { prefix, after: makeKey(KeyFamily.Block, after) }
  return await scheduler.run('gc', async slice => {
    const step: ScrubStep = { blocks: 0, bytes: 0, corrupt: 0 }
    for await (const [key, value] of writer.iterate(range, signal)) {
      const id = Uint8Array.from(key.subarray(KeyFamily.Block.length))
      if ((await reader.check(id)) === 'corrupt') step.corrupt++
      step.blocks++
      step.bytes += decodeLocation(value).lengthBytes
      if (step.bytes >= maxBytes) return { ...step, after: id }
      if (slice.due()) await slice.pause()
    }
    return step
  })
}
