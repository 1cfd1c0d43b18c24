/** Which bytes a challenge looks at, and what is answered of them (frozen vectors of docs/wire.md: when one fails, the code is wrong). */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteMap } from '../../../protocols/proof/byte-map.ts'
import { SAMPLES } from '../../../protocols/proof/limits.ts'
import { possessionDigest, sampleOffsets } from '../../../protocols/proof/samples.ts'
import { sha256 } from '../../../trust/index.ts'

interface Vectors {
  offsets: Array<{ nonce: string; sizeBytes: number; offsets: number[] }>
  digests: Array<{ nonce: string; challenger: string; holder: string; block: string; digest: string }>
}
const file = new URL('../../fixtures/vectors/proof/samples.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const SIZE_BYTES = 64_000
/** The samples of 1,500 challenges. */
const DRAWN = Array.from({ length: 1500 }, (_, number) =>
  sampleOffsets(sha256(Buffer.from(`nonce ${number}`)), SIZE_BYTES)
)

describe('the samples of a nonce', () => {
  test.each(vectors.offsets)('in $sizeBytes bytes', ({ nonce, sizeBytes, offsets }) => {
    expect(sampleOffsets(unhex(nonce), sizeBytes)).toEqual(offsets)
  })

  test('are in a content of any size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.maxSafeNat(), (nonce, size) => {
        const offsets = sampleOffsets(nonce, size + 1 - (size === Number.MAX_SAFE_INTEGER ? 1 : 0))
        expect(offsets).toHaveLength(SAMPLES)
        for (const offset of offsets) {
          expect(offset).toBeGreaterThanOrEqual(0)
          expect(offset).toBeLessThanOrEqual(size)
        }
      })
    )
  })

  test('are each byte as often as any other', () => {
    // Of 64 parts, chi-square with 63 degrees of freedom is above 110 once in 5,000 times, and never for these nonces.
    const hits = new Array<number>(64).fill(0)
    for (const offset of DRAWN.flat()) hits[Math.floor(offset / 1000)]!++
    const expected = (DRAWN.length * SAMPLES) / 64
    expect(hits.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(110)
  })

  test('find out who has half of the bytes, and rarely who has nearly all', () => {
    const passes = (share: number): number =>
      DRAWN.filter(offsets => offsets.every(offset => offset < share * SIZE_BYTES)).length / DRAWN.length
    expect(passes(0.5)).toBe(0)
    expect(Math.abs(passes(0.9) - 0.9 ** SAMPLES)).toBeLessThan(0.03)
    expect(Math.abs(passes(0.99) - 0.99 ** SAMPLES)).toBeLessThan(0.03)
  })
})

describe('what is answered of a block', () => {
  test.each(vectors.digests)('$digest', ({ nonce, challenger, holder, block, digest }) => {
    const challenge = { nonce: unhex(nonce), challenger: unhex(challenger), holder: unhex(holder) }
    expect(Buffer.from(possessionDigest(challenge, unhex(block))).toString('hex')).toBe(digest)
  })

  test('is another for each nonce, pair and block', () => {
    expect(new Set(vectors.digests.map(({ digest }) => digest)).size).toBe(vectors.digests.length)
  })
})

describe('a map of bytes', () => {
  const weights = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3000 })

  const mapOf = (sizes: readonly number[]): ByteMap => {
    let end = 0
    return new ByteMap(Float64Array.from(sizes, size => (end += size)))
  }

  test('finds each byte under its page', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (sizes, drawn) => {
        const map = mapOf(sizes)
        if (map.sizeBytes === 0) return
        const offset = drawn % map.sizeBytes
        const place = map.find(offset)
        const before = sizes.slice(0, place.page).reduce((sum, size) => sum + size, 0)
        expect(before + place.offset).toBe(offset)
        expect(place.offset).toBeLessThan(sizes[place.page]!)
      })
    )
  })

  test('says of each node what its children say, and of the lowest what is under the pages', () => {
    fc.assert(
      fc.property(weights, sizes => {
        const map = mapOf(sizes)
        const sum = (parts: readonly number[]): number => parts.reduce((all, part) => all + part, 0)
        const top = map.weightsBelow(3, 0, 32)
        expect(sum(top)).toBe(map.sizeBytes)
        for (const [middle, weight] of top.entries()) {
          const below = map.weightsBelow(2, middle, 32)
          expect(sum(below)).toBe(weight)
          for (const [low, part] of below.entries()) {
            const first = (middle * 32 + low) * 32
            const pages = Array.from({ length: 32 }, (_, page) => sizes[first + page] ?? 0)
            expect(map.weightsBelow(1, middle * 32 + low, 32)).toEqual(pages)
            expect(sum(pages)).toBe(part)
          }
        }
      }),
      { numRuns: 5 }
    )
  })
})
