import { describe, expect, test } from 'vitest'
import {
  CHUNKS_PER_SAMPLE,
  FileCompressor,
  isWorthwhile,
  looksRandom,
  packPage
} from '../../../library/content/compression.ts'
import { BlockCodec } from '../../../library/content/types.ts'
import { pseudoRandom } from './fakes.ts'

const text = Buffer.from('some text that shrinks\n'.repeat(500))
const noise = pseudoRandom('noise', 10_000)
const codecs = (compressor: FileCompressor, ...chunks: Uint8Array[]): number[] =>
  chunks.map(chunk => compressor.pack(chunk).codec)
const { Raw, Zstd } = BlockCodec

test('a sample is worth it at 0.8 of its size and below', () => {
  expect(isWorthwhile(1000, 800)).toBe(true)
  expect(isWorthwhile(1000, 801)).toBe(false)
  expect(isWorthwhile(1, 1)).toBe(false)
})

describe('bytes that look random', () => {
  const looks = (...parts: Uint8Array[]): boolean => looksRandom(Buffer.concat(parts))

  test('are noise of any length, and nothing that has text in it', () => {
    for (const sizeBytes of [4096, 4097, 10_000, 262_144])
      expect(looks(pseudoRandom(`noise ${sizeBytes}`, sizeBytes))).toBe(true)
    const some = text.subarray(0, 4096)
    expect(looks(text)).toBe(false)
    expect(looks(some, noise)).toBe(false)
    expect(looks(noise, some)).toBe(false)
    expect(looks(new Uint8Array(4096))).toBe(false)
  })

  test('are not tried as a sample, whatever compression could make of them', () => {
    const compressor = new FileCompressor()
    compressor.beginFile()
    expect(codecs(compressor, Buffer.concat([noise, noise]), text)).toEqual([Raw, Raw])
  })
})

describe('the chunks of a file', () => {
  test('follow the first one', () => {
    const compressor = new FileCompressor()
    compressor.beginFile()
    expect(codecs(compressor, text, text, text)).toEqual([Zstd, Zstd, Zstd])
    compressor.beginFile()
    expect(codecs(compressor, noise, text, text)).toEqual([Raw, Raw, Raw])
    compressor.beginFile()
    expect(codecs(compressor, text)).toEqual([Zstd])
  })

  test('stay raw where compression makes them no smaller', () => {
    const compressor = new FileCompressor()
    compressor.beginFile()
    expect(codecs(compressor, text, noise, text)).toEqual([Zstd, Raw, Zstd])
  })

  test('are looked at anew when one sample has stood for its number', () => {
    const compressor = new FileCompressor()
    compressor.beginFile()
    const first = Array.from({ length: CHUNKS_PER_SAMPLE }, (_, i) => (i === 0 ? noise : text))
    expect(new Set(codecs(compressor, ...first))).toEqual(new Set([Raw]))
    expect(codecs(compressor, text, text)).toEqual([Zstd, Zstd])
  })
})

test('a block says its raw length and the form of its bytes', () => {
  const compressor = new FileCompressor()
  compressor.beginFile()
  const packed = compressor.pack(text)
  expect(packed).toMatchObject({ codec: Zstd, rawLengthBytes: text.byteLength })
  expect(packed.bytes.byteLength).toBeLessThan(text.byteLength / 10)
  expect(compressor.pack(noise)).toEqual({ codec: Raw, rawLengthBytes: noise.byteLength, bytes: noise })
})

test('a page is its own sample', () => {
  expect(packPage(text.subarray(0, 900))).toMatchObject({ codec: Zstd, rawLengthBytes: 900 })
  expect(packPage(noise.subarray(0, 900)).codec).toBe(Raw)
  expect(packPage(Buffer.of(0x80)).codec).toBe(Raw)
})
