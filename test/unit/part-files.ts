/** What holds of each format of files that are a sequence of parts: backups, bundles. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'

export interface PartFormat<Part> {
  read(source: AsyncIterable<Uint8Array>): AsyncIterable<Part>
  write(parts: AsyncIterable<Part>): AsyncIterable<Uint8Array>
}

/** A format over files that are in memory. */
export class PartFiles<Part> {
  readonly #format: PartFormat<Part>

  constructor(format: PartFormat<Part>) {
    this.#format = format
  }

  async bytesOf(parts: readonly Part[]): Promise<Buffer> {
    // Copies: a writer may use the memory of a part again.
    const pieces = Array.fromAsync(this.#format.write(iterate(parts)), bytes => Uint8Array.from(bytes))
    return Buffer.concat(await pieces)
  }

  /** The parts of a file that comes in pieces, cut at these places. */
  partsOf(bytes: Uint8Array, cuts: readonly number[] = []): Promise<Part[]> {
    const at = [0, ...[...cuts].sort((a, b) => a - b), bytes.byteLength]
    const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i]!, end))
    return Array.fromAsync(this.#format.read(iterate(pieces)))
  }
}

/** The tests themselves; `arbitrary` gives parts in an order that the format allows, `code` is the error of what is no such file. */
export function testPartFiles<Part>(
  files: PartFiles<Part>,
  { arbitrary, code }: { arbitrary: fc.Arbitrary<Part[]>; code: string }
): void {
  const refused = expect.objectContaining({ code })

  test('says what was put in, however its bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.array(fc.nat(3000)), async (parts, cuts) => {
        const bytes = await files.bytesOf(parts)
        const within = cuts.filter(cut => cut < bytes.byteLength)
        expect(plainParts(await files.partsOf(bytes, within))).toEqual(plainParts(parts))
      })
    )
  })

  test('that is cut off, goes on behind its end or was changed anywhere is refused', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), async (parts, place, bits) => {
        const bytes = await files.bytesOf(parts)
        const at = place % bytes.byteLength
        await expect(files.partsOf(bytes.subarray(0, at))).rejects.toEqual(refused)
        await expect(files.partsOf(Buffer.concat([bytes, Uint8Array.of(bits)]))).rejects.toEqual(refused)
        const changed = Buffer.from(bytes)
        changed[at]! ^= bits
        await expect(files.partsOf(changed)).rejects.toEqual(refused)
      })
    )
  })
}

/** Reads a vector: the bytes of a file in hexadecimal digits, and its parts as `plainParts` gives them. */
export const readVector = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/vectors', path), 'utf8'))

/** A file of a frozen vector says what it said, and is written as it was. */
export async function expectFrozen<Part>(
  files: PartFiles<Part>,
  { hex, parts }: { hex: string; parts: unknown }
): Promise<void> {
  const read = await files.partsOf(Buffer.from(hex, 'hex'))
  expect(plainParts(read)).toEqual(parts)
  expect((await files.bytesOf(read)).toString('hex')).toBe(hex)
}

/** With hexadecimal digits for bytes, so that parts can be compared and kept in a file. */
function plainParts(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plainParts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainParts(inner)]))
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
