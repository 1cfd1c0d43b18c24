import { constants, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashBlock, MAX_BLOCK_BYTES, rawBytesOf, sameId } from '../../../library/content/blocks.ts'
import { BlockCodec } from '../../../library/content/types.ts'
import { compress, decompress, isPlainFrame } from '../../../library/content/zstd.ts'
import { pseudoRandom } from './fakes.ts'

const text = Buffer.from('a line that comes again and again\n'.repeat(3000))
const withParams = (raw: Uint8Array, params: Record<number, number>): Buffer =>
  zstdCompressSync(raw, { params })
/** A plain frame whose head states another length, in four bytes. */
function stating(lengthBytes: number, raw: Uint8Array): Buffer {
  const frame = Buffer.from(compress(raw))
  const headBytes = 5 + [1, 2, 4][frame[4]! >> 6]!
  const head = Buffer.alloc(9)
  frame.copy(head, 0, 0, 4)
  head[4] = 0xa0
  head.writeUInt32LE(lengthBytes, 5)
  return Buffer.concat([head, frame.subarray(headBytes)])
}
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2])

describe('a plain frame', () => {
  test('comes back as it was, whatever the bytes and their number', () => {
    const lengths = [1, 2, 255, 256, 257, 4095, 65_535, 65_536, 65_792, MAX_BLOCK_BYTES]
    for (const length of lengths)
      for (const raw of [
        Buffer.alloc(length, 'abc'),
        pseudoRandom('noise', length),
        text.subarray(0, length)
      ]) {
        const frame = compress(raw)
        expect(isPlainFrame(frame, raw.byteLength)).toBe(true)
        expect(Buffer.compare(decompress(frame, raw.byteLength)!, raw)).toBe(0)
      }
  })

  test('may be compressed in any way', () => {
    for (const level of [-7, 3, 9, 19]) {
      const frame = withParams(text, { [constants.ZSTD_c_compressionLevel]: level })
      expect(Buffer.compare(decompress(frame, text.byteLength)!, text)).toBe(0)
    }
    const stored = withParams(pseudoRandom('noise', 1000), {})
    expect(decompress(stored, 1000)).toHaveLength(1000)
    // A single repeated byte: one block of one byte.
    expect(decompress(stating(3, Buffer.alloc(3, 7)), 3)).toEqual(Buffer.alloc(3, 7))
  })
})

describe('what is no plain frame is refused before it is decoded', () => {
  const frame = Buffer.from(compress(text))
  const dictionary = Buffer.from(frame)
  dictionary[4]! |= 1
  const reserved = Buffer.from(frame)
  reserved[4]! |= 8
  const window = Buffer.concat([frame.subarray(0, 4), Buffer.of(0x80, 0x88), frame.subarray(5)])
  const blockType = Buffer.from(frame)
  blockType[9]! |= 6
  const cases: Array<[string, Uint8Array, number?]> = [
    ['nothing', new Uint8Array()],
    ['a magic alone', frame.subarray(0, 4)],
    ['a head alone', frame.subarray(0, 9)],
    ['no zstd', text],
    ['a length that the record denies', frame, text.byteLength - 1],
    ['a length of more than a block', stating(50_000_000, text), 50_000_000 - 1],
    ['a head that states less than there is', stating(10, text)],
    ['a dictionary', dictionary],
    ['a reserved bit', reserved],
    ['a window of its own', window],
    ['a block of an unknown type', blockType],
    ['a checksum', withParams(text, { [constants.ZSTD_c_checksumFlag]: 1 })],
    ['no length', withParams(text, { [constants.ZSTD_c_contentSizeFlag]: 0 })],
    ['a byte behind it', Buffer.concat([frame, Buffer.of(0)])],
    ['a second frame', Buffer.concat([frame, frame]), text.byteLength],
    ['a skippable frame before it', Buffer.concat([skippable, frame])],
    ['a skippable frame behind it', Buffer.concat([frame, skippable])]
  ]
  test.each(cases)('%s', (_, bytes, length = text.byteLength) => {
    expect(isPlainFrame(bytes, length)).toBe(false)
    expect(decompress(bytes, length)).toBeUndefined()
  })

  test('cut off anywhere', () => {
    const small = compress(pseudoRandom('noise', 300))
    for (let end = 0; end < small.byteLength; end++)
      expect(isPlainFrame(small.subarray(0, end), 300), String(end)).toBe(false)
  })
})

test('a frame that makes more bytes than it states is refused while it is decoded', () => {
  const bomb = stating(1000, Buffer.alloc(200_000))
  expect(isPlainFrame(bomb, 1000)).toBe(true)
  expect(decompress(bomb, 1000)).toBeUndefined()
  const short = stating(200_000, Buffer.alloc(1000))
  expect(isPlainFrame(short, 200_000)).toBe(true)
  expect(decompress(short, 200_000)).toBeUndefined()
})

test('a block in zstd is shorter than its raw bytes and at most 256 KiB of them', () => {
  const block = (bytes: Uint8Array, rawLengthBytes: number, codec: number = BlockCodec.Zstd): unknown =>
    rawBytesOf({ codec: codec as BlockCodec, rawLengthBytes, bytes })
  expect(block(compress(text), text.byteLength)).toEqual(text)
  expect(block(compress(pseudoRandom('noise', 1000)), 1000)).toBeUndefined()
  const large = Buffer.alloc(MAX_BLOCK_BYTES + 1)
  expect(block(compress(large), large.byteLength)).toBeUndefined()
  expect(block(compress(text), text.byteLength, 2)).toBeUndefined()
  expect(block(compress(text), text.byteLength, BlockCodec.Raw)).toBeUndefined()
})

test('whatever is changed in a frame: refused, or bytes of the stated length with another hash, or the same', () => {
  const raw = text.subarray(0, 5000)
  const frame = compress(raw)
  const id = hashBlock(raw)
  const place = fc.record({ at: fc.nat(frame.byteLength - 1), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), places => {
      const changed = Uint8Array.from(frame)
      for (const { at, byte } of places) changed[at] = byte
      const came = decompress(changed, raw.byteLength)
      if (came === undefined) return
      expect(came.byteLength).toBe(raw.byteLength)
      expect(sameId(hashBlock(came), id)).toBe(Buffer.compare(came, raw) === 0)
    }),
    { numRuns: 2000 }
  )
})
