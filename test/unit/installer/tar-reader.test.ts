import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TarEntry } from '../../../library/index.ts'
import { TarReader } from '../../../library/installer/tar-reader.ts'
import { file, type Item, link, tarOf } from './support.ts'

/** Reads a stream in pieces of the given sizes, in turn. */
function read(tar: Buffer, sizes: number[] = [tar.length]): Item[] {
  const items: Array<{ entry: TarEntry; parts: Buffer[]; ended: boolean }> = []
  const reader = new TarReader({
    entry: entry => void items.push({ entry, parts: [], ended: false }),
    data: bytes => void items.at(-1)!.parts.push(Buffer.from(bytes)),
    fileEnd: () => {
      items.at(-1)!.ended = true
    }
  })
  let at = 0
  for (let turn = 0; at < tar.length; turn++) {
    const size = sizes[turn % sizes.length]!
    reader.write(tar.subarray(at, at + size))
    at += size
  }
  reader.finish()
  return items.map(({ entry, parts, ended }) => {
    expect(ended).toBe(entry.kind === 'file')
    return entry.kind === 'file' ? { ...entry, bytes: Buffer.concat(parts) } : entry
  })
}

const segment = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map(text => text.replaceAll(/[\0/]/g, '_'))
const name = fc.array(segment, { minLength: 1, maxLength: 8 }).map(parts => parts.join('/'))
const item: fc.Arbitrary<Item> = fc.oneof(
  fc
    .record({ name, bytes: fc.uint8Array({ maxLength: 2000 }), mode: fc.integer({ min: 0, max: 0o777 }) })
    .map(
      ({ name: path, bytes, mode }): Item => ({
        kind: 'file',
        path,
        mode,
        sizeBytes: bytes.length,
        bytes: Buffer.from(bytes)
      })
    ),
  fc
    .record({ name, target: segment })
    .map(({ name: path, target }): Item => ({ kind: 'symlink', path, target })),
  fc
    .record({ name, mode: fc.integer({ min: 0, max: 0o777 }) })
    .map(({ name: path, mode }): Item => ({ kind: 'directory', path, mode }))
)

describe('TarReader', () => {
  it('gives back what was written, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }),
        (items, sizes) => {
          expect(read(tarOf(items), sizes)).toEqual(items)
        }
      ),
      { numRuns: 100 }
    )
  })

  it('knows a stream that was cut anywhere', () => {
    const tar = tarOf([file('a', 'x'.repeat(1000)), link('b', 'a')])
    for (let length = 0; length < tar.length; length += 100)
      expect(() => read(tar.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'STREAM_TRUNCATED' })
      )
  })

  it('survives any bytes with a code, never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 2000 }), (noise, at) => {
        const tar = Buffer.concat([tarOf([file('a', 'hello'), file('ü'.repeat(90), 'x')])])
        tar.set(noise.subarray(0, Math.max(0, tar.length - at)), Math.min(at, tar.length))
        try {
          read(tar)
        } catch (error) {
          expect(['CONTENT_INVALID', 'STREAM_TRUNCATED']).toContain((error as { code: string }).code)
        }
      }),
      { numRuns: 300 }
    )
  })

  it.each([
    ['a hard link', '1'],
    ['a device', '3'],
    ['a pipe', '6'],
    ['a global header', 'g'],
    ["GNU's long name", 'L']
  ])('refuses %s', (_, type) => {
    const tar = tarOf([link('a', 'b')])
    tar.write(type, 156)
    tar.write('        ', 148)
    const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    expect(() => read(tar)).toThrow(expect.objectContaining({ code: 'CONTENT_INVALID' }))
  })

  it('refuses a header that was changed, and bytes after the end', () => {
    const tar = tarOf([file('a', 'x')])
    const changed = Buffer.from(tar)
    changed.write('b', 0)
    expect(() => read(changed)).toThrow(/checksum/)
    expect(() => read(Buffer.concat([tar, tar]))).toThrow(/follows the end mark/)
  })
})
