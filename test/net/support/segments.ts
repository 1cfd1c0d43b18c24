/** What stands in the segments of a home, read as docs/disk-format.md says, behind the back of its daemon. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hashBlock, sameId } from '../../../library/content/blocks.ts'
import { RECORD_HEAD_BYTES, readRecordHead } from '../../../library/content/record.ts'
import type { Random } from './random.ts'

export interface FoundRecord {
  segment: number
  /** Of the record's head. */
  offsetBytes: number
  lengthBytes: number
  /** In hex. */
  id: string
}

/** Sizes of the segments, by number: a place to read on from. */
export type Sizes = ReadonlyMap<number, number>

const folderOf = (home: string): string => join(home, 'segments')

export function segmentSizes(home: string): Sizes {
  const names = readdirSync(folderOf(home))
  return new Map(names.map(name => [Number(name), statSync(join(folderOf(home), name)).size]))
}

/** The whole records after those places: their bytes are there and match their ids. */
export function wholeRecords(home: string, after: Sizes = new Map()): FoundRecord[] {
  const found: FoundRecord[] = []
  for (const [segment] of segmentSizes(home)) {
    const bytes = readFileSync(join(folderOf(home), String(segment)))
    let at = after.get(segment) ?? 0
    for (let head = readRecordHead(bytes, at); head !== undefined; head = readRecordHead(bytes, at)) {
      const { id, lengthBytes } = head
      const block = bytes.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + lengthBytes)
      if (block.length < lengthBytes) break
      if (sameId(hashBlock(block), id))
        found.push({ segment, offsetBytes: at, lengthBytes, id: Buffer.from(id).toString('hex') })
      at += RECORD_HEAD_BYTES + lengthBytes
    }
  }
  return found
}

/** Bytes of all different blocks. */
export function blockBytes(records: readonly FoundRecord[]): number {
  const lengths = new Map(records.map(({ id, lengthBytes }) => [id, lengthBytes]))
  return [...lengths.values()].reduce((sum, length) => sum + length, 0)
}

/** Changes one bit in the bytes of a record, as a disk that goes bad does; a daemon may have the segment open. */
export function flipBit(
  home: string,
  { segment, offsetBytes, lengthBytes }: FoundRecord,
  random: Random
): void {
  const file = openSync(join(folderOf(home), String(segment)), 'r+')
  const position = offsetBytes + RECORD_HEAD_BYTES + random.integer(0, lengthBytes - 1)
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, position)
  byte[0]! ^= 1 << random.integer(0, 7)
  writeSync(file, byte, 0, 1, position)
  closeSync(file)
}
