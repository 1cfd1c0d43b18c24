/** Room under a quota: whom it is promised, who waits for it, and what is thrown away for it. */
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, test } from 'vitest'
import { MIB, silentLogger, systemClock } from '../../../base/index.ts'
import { hashBlock, rawCid } from '../../../library/content/blocks.ts'
import type { CollectOutcome, CollectRequest } from '../../../library/index.ts'
import { Collecting } from '../../../node/services/collecting.ts'
import type { Wanted } from '../../../node/services/rooms.ts'
import { context } from './fetching-world.ts'

const QUOTA_BYTES = 80 * MIB
/** An eighth is the head-room of collections. */
const USABLE_BYTES = 70 * MIB

const contentId = (name: string): CID => rawCid(hashBlock(Buffer.from(name)))

/** A store that is only sizes: contents by name, of which some are pinned. */
class Sizes {
  readonly contents = new Map<string, { sizeBytes: number; isPinned: boolean }>()

  stats(): { bytes: number } {
    return { bytes: [...this.contents.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  }

  async collect({ evictBytes, dryRun }: CollectRequest): Promise<CollectOutcome> {
    const entries = [...this.contents]
    const pinned = entries.filter(([, { isPinned }]) => isPinned)
    let freedBytes = 0
    const released: CollectOutcome['released'] = []
    for (const [name, { sizeBytes, isPinned }] of entries) {
      if (isPinned || freedBytes >= evictBytes) continue
      freedBytes += sizeBytes
      released.push({
        content: contentId(name).bytes,
        sizeBytes,
        releases: [name],
        reason: 'unused',
        usedMs: 0
      })
      if (!dryRun) this.contents.delete(name)
    }
    const pinnedBytes = pinned.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0)
    const report = { blocks: 0, bytes: 0, segments: 0, rewritten: 0, gaps: 0, dropped: [] }
    return { ...report, freedBytes, released, pinnedBytes, ownBytes: 0 }
  }
}

describe('room for fetches', () => {
  let sizes: Sizes
  let collecting: Collecting

  beforeEach(() => {
    sizes = new Sizes()
    collecting = new Collecting(
      {
        content: sizes as never,
        registry: { get: () => undefined },
        jobs: { unfinished: async () => [] },
        operations: { start: () => expect.unreachable() },
        clock: systemClock,
        logger: silentLogger
      },
      { quotaBytes: QUOTA_BYTES, highWater: 0.9, lowWater: 0.8 }
    )
  })

  const wanted = (name: string, sizeBytes: number): Wanted => ({ key: name, sizeBytes, what: name })
  const hold = (name: string, sizeBytes: number, isPinned = false): void =>
    void sizes.contents.set(name, { sizeBytes, isPinned })

  /** Asks for room that is not there yet, and returns once that is known. */
  async function waits(content: Wanted, signal?: AbortSignal) {
    const told = Promise.withResolvers<string>()
    const progress = ({ phase }: { phase: string }): void => told.resolve(phase)
    const room = collecting.makeRoom(content, { ...context(signal), progress })
    expect(await Promise.race([told.promise, room])).toBe('waiting for room in the store')
    return { room }
  }

  test('is promised to one of two that do not both fit: the other waits, and takes the place of the first', async () => {
    const first = await collecting.makeRoom(wanted('first', 40 * MIB), context())
    const second = await waits(wanted('second', 40 * MIB))
    // One that fits beside the first need not wait.
    const small = await collecting.makeRoom(wanted('small', 30 * MIB), context())
    small.end()
    hold('first', 40 * MIB)
    first.end()
    await second.room
    expect(sizes.contents.size).toBe(0)
  })

  test('shrinks with what has come, and is one for all who fetch the same', async () => {
    const first = await collecting.makeRoom(wanted('first', 60 * MIB), context())
    const same = await collecting.makeRoom(wanted('first', 60 * MIB), context())
    hold('first', 50 * MIB, true)
    first.filled(50 * MIB)
    // A new attempt begins to count anew: it is known already what came.
    same.filled(0)
    const other = await collecting.makeRoom(wanted('other', USABLE_BYTES - 60 * MIB), context())
    other.end()
    first.end()
    first.end()
    const waiting = await waits(wanted('other', USABLE_BYTES - 55 * MIB))
    same.end()
    await waiting.room
  })

  test('is not waited for any longer than the fetch is wanted', async () => {
    const first = await collecting.makeRoom(wanted('first', 40 * MIB), context())
    const abort = new AbortController()
    const { room } = await waits(wanted('second', 40 * MIB), abort.signal)
    abort.abort(new Error('not wanted any more'))
    await expect(room).rejects.toThrow('not wanted any more')
    first.end()
    await collecting.makeRoom(wanted('third', USABLE_BYTES), context())
  })

  test('is refused when nobody is left to wait for, and nothing goes for it', async () => {
    hold('pinned', 40 * MIB, true)
    hold('cached', 10 * MIB)
    const refused = { code: 'QUOTA_EXCEEDED', details: { pinnedBytes: 40 * MIB } }
    for (let i = 0; i < 2; i++)
      await expect(collecting.makeRoom(wanted('large', 40 * MIB), context())).rejects.toMatchObject(refused)
    expect([...sizes.contents.keys()]).toEqual(['pinned', 'cached'])
    await collecting.makeRoom(wanted('less', 30 * MIB), context())
    expect([...sizes.contents.keys()]).toEqual(['pinned'])
  })
})
