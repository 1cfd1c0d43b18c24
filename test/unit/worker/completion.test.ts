/** The mark of a content and the loss of its blocks, in every order. */
import type { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { hashBlock, rawCid } from '../../../library/content/blocks.ts'
import { completeKey, completeMark } from '../../../library/content/complete.ts'
import { encodeEntry } from '../../../library/content/manifest.ts'
import type { BlockReader } from '../../../library/content/reader.ts'
import type { SegmentStore } from '../../../library/content/segments.ts'
import type { LevelWriter } from '../../../library/database/level.ts'
import { Completion } from '../../../library/worker/completion.ts'
import type { DamageCheck } from '../../../library/worker/damage.ts'
import { Scheduler } from '../../../library/worker/scheduler.ts'
import { FakeIndex } from '../content/fakes.ts'

const chunk = Buffer.from('a chunk')
const page = Buffer.concat([
  Buffer.of(0x81),
  encodeEntry({
    kind: 'file',
    path: 'a',
    mode: 0o644,
    sizeBytes: chunk.byteLength,
    root: rawCid(hashBlock(chunk))
  })
])
const content = rawCid(hashBlock(page))
const summary = { sizeBytes: chunk.byteLength, files: 1 }
const isMarked = (index: FakeIndex, of: CID): boolean => index.get(completeKey(of.bytes)) !== undefined

function setUp() {
  const index = new FakeIndex()
  const segments = { losses: 0 }
  const state = { hasChunk: true, isDamageDue: false, beforeMark: () => {} }
  const reader = {
    has: () => true,
    read: async () => page,
    locate: () => (state.hasChunk ? { rawLengthBytes: chunk.byteLength } : undefined)
  }
  const withoutLosses = async (task: () => Promise<void>): Promise<void> => {
    state.beforeMark()
    await task()
  }
  const completion = new Completion({
    reader: reader as unknown as BlockReader,
    writer: index as unknown as LevelWriter,
    segments: Object.assign(segments, { withoutLosses }) as unknown as SegmentStore,
    damage: {
      get isDue() {
        return state.isDamageDue
      }
    } as DamageCheck,
    scheduler: new Scheduler({ monotonicMs: () => 0, defer: setImmediate }),
    commit: (bytes, stated) =>
      index.batch([{ type: 'put', key: completeKey(bytes), value: completeMark(stated) }], { sync: true })
  })
  return { completion, index, segments, state }
}

const mark = (completion: Completion, older?: CID): Promise<void> =>
  completion.mark(
    { content: content.bytes, summary, older: older?.bytes, nowMs: 1 },
    new AbortController().signal
  )

test('a content whose blocks are here is marked', async () => {
  const { completion, index } = setUp()
  await mark(completion)
  expect(isMarked(index, content)).toBe(true)
})

test('a block that is given up after the check, before the mark, is found missing', async () => {
  const { completion, index, segments, state } = setUp()
  state.beforeMark = () => {
    state.hasChunk = false
    segments.losses++
  }
  await expect(mark(completion)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
  expect(isMarked(index, content)).toBe(false)
})

test.each(['its mark is taken away', 'damage is found'])(
  'an older content proves nothing once %s, even after the check',
  async how => {
    const { completion, index, state } = setUp()
    // The older content is this one itself under its own mark: nothing is new beside it.
    const key = completeKey(content.bytes)
    await index.batch([{ type: 'put', key, value: completeMark(summary) }], { sync: true })
    state.hasChunk = false
    let turns = 0
    state.beforeMark = () => {
      if (turns++ > 0) return
      if (how === 'damage is found') state.isDamageDue = true
      void index.batch([{ type: 'del', key }], { sync: true })
    }
    await expect(mark(completion, content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
    expect(turns).toBe(1)
    expect(isMarked(index, content)).toBe(false)
  }
)

test('totals that are not true are refused', async () => {
  const { completion, index } = setUp()
  const lie = { content: content.bytes, summary: { ...summary, files: 2 }, nowMs: 1 }
  await expect(completion.mark(lie, new AbortController().signal)).rejects.toMatchObject({
    code: 'CONTENT_INVALID'
  })
  expect(isMarked(index, content)).toBe(false)
})
