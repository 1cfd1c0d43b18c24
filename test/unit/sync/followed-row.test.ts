/** Rows of followed libraries: what is written, and what older versions have written. */
import { expect, test } from 'vitest'
import { type DatabaseReader, makeKey } from '../../../library/index.ts'
import { type FollowedRow, newFollowed, putFollowed, readFollowed } from '../../../sync/follow/rows.ts'
import { libraryIdOf, signHead } from '../../../sync/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { hashOf } from './tries.ts'

const node = keyOf('node')
const writer = node.publicKey
const library = libraryIdOf(writer, 'tools')
const statement = { library, epoch: 1, revision: 1, root: hashOf('root'), time: NOW_MS }
const head = signHead({ ...statement, expires: NOW_MS + 1000 }, node)

/** Copies 3, 4 and 2, names yet to be led, at 0x0102030405. */
const NUMBERS = '000000030000000400000002010000000102030405'
const ROW: FollowedRow = {
  ...newFollowed({ writer, name: 'tools' }),
  copy: 3,
  staged: 4,
  retiring: 2,
  isIndexing: true,
  syncedMs: 0x0102030405,
  head
}

const reading = (value: Uint8Array): DatabaseReader =>
  ({
    get: (key: Uint8Array) => (Buffer.compare(key, makeKey('fl/', library)) === 0 ? value : undefined)
  }) as never

function written(row: FollowedRow): Buffer {
  const put = putFollowed(library, row)
  if (put.type !== 'put') throw new Error('it writes')
  return Buffer.from(put.value)
}

const hexOf = (...parts: Array<Uint8Array | string>): string =>
  parts.map(part => (typeof part === 'string' ? part : Buffer.from(part).toString('hex'))).join('')

test('a row has the writer and the name of its library, its copies and the head', () => {
  expect(written(ROW).toString('hex')).toBe(
    hexOf('02', writer, '05', Buffer.from('tools'), NUMBERS, head.bytes)
  )
  expect(readFollowed(reading(written(ROW)), library)).toEqual(ROW)
  const longest = { ...newFollowed({ writer, name: 'a'.repeat(64) }), syncedMs: NOW_MS }
  expect(readFollowed(reading(written(longest)), library)).toEqual(longest)
  const ofBundle = { ...ROW, isIndexing: false, isClosed: true, isOfBundle: true }
  expect(written(ofBundle).toString('hex')).toContain('00000002060000')
  expect(readFollowed(reading(written(ofBundle)), library)).toEqual(ofBundle)
})

test('a row of the first version, which has no name, is of a home', () => {
  const first = (bytes: string): FollowedRow | undefined =>
    readFollowed(reading(Buffer.from(bytes, 'hex')), library)
  expect(first(hexOf('01', writer, NUMBERS, head.bytes))).toEqual({ ...ROW, name: 'home' })
  expect(first(hexOf('01', writer, NUMBERS))).toEqual({ ...ROW, name: 'home', head: undefined })
})

test('a row of another version, or one that ends early, cannot be read', () => {
  const whole = written({ ...ROW, head: undefined })
  const other = Uint8Array.from(whole)
  other[0] = 3
  const corrupt = expect.objectContaining({ code: 'CONTENT_CORRUPT' })
  for (const bytes of [other, ...Array.from(whole.keys(), length => whole.subarray(0, length))])
    expect(() => readFollowed(reading(bytes), library)).toThrow(corrupt)
})
