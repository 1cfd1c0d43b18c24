import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AVERAGE_CHUNK_BYTES,
  Chunker,
  cutLength,
  GEAR,
  MAX_CHUNK_BYTES,
  MIN_CHUNK_BYTES
} from '../../../library/content/chunker.ts'
import { pseudoRandom } from './fakes.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/content/chunks.json', import.meta.url), 'utf8')
)
const MIB = 1024 * 1024
const random = pseudoRandom(vectors.seed, vectors.sizeBytes)

/** Chunks of `bytes` when it comes in pieces of these sizes, over and over. */
function cut(bytes: Uint8Array, pieces: number[]): Buffer[] {
  const chunker = new Chunker()
  const chunks: Buffer[] = []
  const drain = (atEnd: boolean): void => {
    for (let chunk = chunker.next(atEnd); chunk !== undefined; chunk = chunker.next(atEnd))
      chunks.push(Buffer.from(chunk))
  }
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    let rest = bytes.subarray(at, at + pieces[turn % pieces.length]!)
    at += rest.byteLength
    while (rest.byteLength > 0) {
      rest = rest.subarray(chunker.feed(rest))
      drain(false)
    }
  }
  drain(true)
  return chunks
}

/** The rule of docs/disk-format.md, byte by byte. */
function cutByTheRule(bytes: Uint8Array): number {
  let hashed = 0
  for (let length = MIN_CHUNK_BYTES; length < Math.min(bytes.byteLength, MAX_CHUNK_BYTES); ) {
    hashed = (Math.imul(hashed, 2) + GEAR[bytes[length]!]!) >>> 0
    const topBits = length < AVERAGE_CHUNK_BYTES ? 18 : 14
    length++
    if (hashed < 2 ** (32 - topBits)) return length
  }
  return Math.min(bytes.byteLength, MAX_CHUNK_BYTES)
}

const lengths = (chunks: Buffer[]): number[] => chunks.map(chunk => chunk.byteLength)

describe('chunker', () => {
  test('gear table and cuts are those of the format', () => {
    expect([...GEAR.subarray(0, 8)]).toEqual(vectors.gear)
    expect(lengths(cut(random, [MIB]))).toEqual(vectors.lengths)
    expect(lengths(cut(new Uint8Array(600_000), [MIB]))).toEqual(vectors.zeroLengths)
  })

  test('every cut is where the rule, followed byte by byte, has it', () => {
    const average = AVERAGE_CHUNK_BYTES
    const aroundTheAverage = fc.integer({ min: average - 40, max: average + 40 })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: random.byteLength - MAX_CHUNK_BYTES }),
        fc.oneof(aroundTheAverage, fc.integer({ min: 0, max: MAX_CHUNK_BYTES + 8 })),
        (start, size) => {
          const end = Math.min(start + size, random.byteLength)
          expect(cutLength(random, start, end)).toBe(cutByTheRule(random.subarray(start, end)))
        }
      ),
      { numRuns: 100 }
    )
  })

  test('an empty file has no chunk, a file of up to the minimum has one', () => {
    expect(cut(new Uint8Array(0), [1])).toEqual([])
    expect(lengths(cut(random.subarray(0, MIN_CHUNK_BYTES), [777]))).toEqual([MIN_CHUNK_BYTES])
  })

  test('cuts do not depend on how the file was read, stay in bounds and lose nothing', () => {
    const piece = fc.integer({ min: 1, max: 400_000 })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500_000 }),
        fc.integer({ min: 0, max: random.byteLength - 500_000 }),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        (skipped, size, pieces) => {
          const bytes = random.subarray(skipped, skipped + size)
          const chunks = cut(
            bytes,
            pieces.map(bytes => bytes + 200)
          )
          expect(lengths(chunks)).toEqual(lengths(cut(bytes, [MIB])))
          expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0)
          for (const [i, chunk] of chunks.entries()) {
            expect(chunk.byteLength).toBeLessThanOrEqual(MAX_CHUNK_BYTES)
            if (i < chunks.length - 1) expect(chunk.byteLength).toBeGreaterThan(MIN_CHUNK_BYTES)
          }
        }
      ),
      { numRuns: 30 }
    )
  })

  test('a byte put in front changes the first chunk and few others', () => {
    const before = new Set(cut(random, [MIB]).map(chunk => chunk.toString('latin1')))
    const after = cut(Buffer.concat([Buffer.from('x'), random]), [MIB])
    expect(after.filter(chunk => !before.has(chunk.toString('latin1'))).length).toBeLessThanOrEqual(2)
  })

  test('each file starts afresh', () => {
    const chunker = new Chunker()
    const file = (): number[] => {
      chunker.feed(random.subarray(0, 300_000))
      const all: number[] = []
      for (let chunk = chunker.next(true); chunk !== undefined; chunk = chunker.next(true))
        all.push(chunk.byteLength)
      return all
    }
    expect(file()).toEqual(file())
  })
})
