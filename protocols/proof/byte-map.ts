/**
 * Where the bytes of a content stand: how many are under each page of its manifest. The manifest's tree does not say it (its lengths are
 * those of the pages themselves), so whoever has the content adds it up once, from all pages. 8 bytes a page are kept.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { type BlockSource, decodePage, MANIFEST_FANOUT, manifestPages } from '../../library/index.ts'
import { type BytePlace, fileBytesOf } from './ways.ts'

export class ByteMap {
  /** How many bytes are under each page and those before it. */
  readonly #ends: Float64Array

  constructor(ends: Float64Array) {
    this.#ends = ends
  }

  /** All there are. */
  get sizeBytes(): number {
    return this.#ends.at(-1)!
  }

  /** Of the map itself. */
  get memoryBytes(): number {
    return this.#ends.byteLength
  }

  /** The place of byte `offset`, below `sizeBytes`. */
  find(offset: number): BytePlace {
    let low = 0
    let high = this.#ends.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ends[middle]! > offset) high = middle
      else low = middle + 1
    }
    return { page: low, offset: offset - this.#before(low) }
  }

  /** How many bytes are under each of the first `count` children of node `index` of a level of the manifest's tree; level 1 has the pages. */
  weightsBelow(level: number, index: number, count: number): number[] {
    const span = MANIFEST_FANOUT ** (level - 1)
    const first = index * MANIFEST_FANOUT
    return Array.from(
      { length: count },
      (_, child) => this.#before((first + child + 1) * span) - this.#before((first + child) * span)
    )
  }

  #before(page: number): number {
    return page === 0 ? 0 : this.#ends[Math.min(page, this.#ends.length) - 1]!
  }
}

/** Reads all pages of a content that is whole, one after the other. `sizeBytes`: of its files, as its summary says. */
export async function mapBytes(
  source: BlockSource,
  content: CID,
  sizeBytes: number,
  signal: AbortSignal
): Promise<ByteMap> {
  const ends: number[] = []
  let end = 0
  for await (const id of manifestPages(source, content, signal)) {
    const page = await source.read(id, signal)
    end += sizeBytes === 0 ? page.byteLength : fileBytesOf(decodePage(page))
    ends.push(end)
  }
  if (sizeBytes > 0 && end !== sizeBytes)
    throw new CatalogError('CONTENT_CORRUPT', `${content} has ${end} bytes, not ${sizeBytes}`)
  return new ByteMap(Float64Array.from(ends))
}
