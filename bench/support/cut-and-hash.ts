/** Cutting and hashing alone, as an ingest does it: what is left when reading tar, compressing and writing are free. */
import { closeSync, openSync, readSync } from 'node:fs'
import { MIB } from '../../base/index.ts'
import { hashBlock } from '../../library/content/blocks.ts'
import { Chunker } from '../../library/content/chunker.ts'
import { filesOf } from './tools.ts'

/** As the pieces of a tar stream that the worker gets. */
const PIECE_BYTES = MIB

export const cutAndHashMs = (folder: string): number => {
  const began = performance.now()
  const chunker = new Chunker()
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  for (const path of filesOf(folder)) {
    const file = openSync(path, 'r')
    for (let length = readSync(file, piece); length > 0; length = readSync(file, piece))
      for (let rest = piece.subarray(0, length); rest.byteLength > 0; ) {
        rest = rest.subarray(chunker.feed(rest))
        hashChunks(chunker, false)
      }
    closeSync(file)
    hashChunks(chunker, true)
  }
  return performance.now() - began
}

const hashChunks = (chunker: Chunker, atEnd: boolean): void => {
  for (let chunk = chunker.next(atEnd); chunk !== undefined; chunk = chunker.next(atEnd)) hashBlock(chunk)
}
