/** Which parts of a segment are asked of a bucket, and when. */
import { beforeEach, expect, test } from 'vitest'
import { CatalogError, MIB } from '../../../base/index.ts'
import type { Bucket, BucketOwner } from '../../../library/content/bucket.ts'
import { BucketReads } from '../../../library/content/bucket-reads.ts'
import type { SegmentReads } from '../../../library/content/segment-backend.ts'

const SEGMENT_PARTS = 64
const away = new CatalogError('BUCKET_UNREACHABLE', 'away')

/** Parts that were asked for, in order. */
let asked: number[]
/** What becomes of a request for a part; its number is in its first byte. */
let answer: (part: number) => Promise<Buffer>
let reads: BucketReads

beforeEach(() => {
  asked = []
  answer = async part => Buffer.alloc(MIB, part)
  const get = (_name: string, fromBytes: number): Promise<Buffer> => {
    asked.push(fromBytes / MIB)
    return answer(fromBytes / MIB)
  }
  const local = {
    readInto: async () => {
      throw Object.assign(new Error('not here'), { code: 'ENOENT' })
    },
    drop: () => {}
  }
  reads = new BucketReads({
    local: local as unknown as SegmentReads,
    bucket: { get } as unknown as Bucket,
    owner: {} as BucketOwner
  })
})

/** One byte in the middle of a part. */
async function read(part: number): Promise<number> {
  const target = Buffer.alloc(1, 0xff)
  expect(await reads.readInto(0, [target], part * MIB + 1000)).toBe(1)
  return target[0]!
}

test('a reader that goes on finds the next parts on their way, one that jumps asks for nothing more', async () => {
  expect(await read(5)).toBe(5)
  expect(await read(9)).toBe(9)
  expect(asked).toEqual([5, 9])
  expect(await read(10)).toBe(10)
  expect(asked).toEqual([5, 9, 10, 11, 12])
  expect(await read(11)).toBe(11)
  expect(asked).toEqual([5, 9, 10, 11, 12, 13])
})

test('nothing is asked for behind the end of a segment', async () => {
  await read(SEGMENT_PARTS - 3)
  await read(SEGMENT_PARTS - 2)
  await read(SEGMENT_PARTS - 1)
  expect(asked).toEqual([61, 62, 63])
})

test('a part that failed before anybody wanted it is asked for again', async () => {
  const answers = answer
  answer = part => (part === 2 ? Promise.reject(away) : answers(part))
  await read(0)
  await read(1)
  expect(asked).toEqual([0, 1, 2, 3])
  answer = answers
  expect(await read(2)).toBe(2)
  expect(asked).toEqual([0, 1, 2, 3, 2, 4])
})
