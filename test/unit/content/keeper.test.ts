import type { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { hashBlock, rawCid } from '../../../library/content/blocks.ts'
import { ContentKeeper } from '../../../library/content/keeper.ts'

const content = rawCid(hashBlock(Buffer.from('a content')))

/** A worker that lets go of one content; tells what the collection after it is told to leave out. */
async function leftOut(dryRun: boolean): Promise<CID['bytes'][]> {
  let without: CID['bytes'][] = []
  const plan = { contents: [{ content: content.bytes, usedMs: 0 }], pinnedBytes: 0, ownBytes: 0 }
  const request = async (method: string, parameters: { without: CID['bytes'][] }): Promise<unknown> => {
    if (method === 'collectPlan') return plan
    if (method === 'contentsLetGo') return [content.bytes]
    without = parameters.without
    return { dropped: [] }
  }
  const keeper = new ContentKeeper({
    database: { get: () => undefined } as never,
    worker: { request } as never,
    files: { drop: () => {} } as never,
    clock: systemClock,
    log: silentLogger
  })
  await keeper.collect({ evictBytes: 0, dryRun, fetching: [] })
  return without
}

test('only a dry run takes contents for gone: a row that is there again was published meanwhile', async () => {
  expect(await leftOut(true)).toEqual([content.bytes])
  expect(await leftOut(false)).toEqual([])
})
