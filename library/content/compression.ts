/**
 * Which blocks of a folder are kept compressed. Most files either shrink all over (text, programs) or nowhere (archives,
 * pictures), so not every chunk is tried: of every 4 MiB or so of a file the first chunk that is new to the store is the
 * sample. When zstd brings it to 0.8 of its size or less the chunks after it are compressed too, else they stay raw. A
 * chunk that compression does not make smaller is kept raw in any case. A sample in which every byte is as frequent as any
 * other is not even tried: archives, pictures and keys look so, and trying costs a small file more than hashing it.
 *
 * Chunks below 4 KiB stay raw: they save little and cost a decoder each time they are read. Pages of manifests come to some 0.6
 * of their size by the paths in them, and an update sends them whole: each is its own sample. Nodes of trees are hashes and
 * never shrink (docs/measurements.md has figures). The choice is no part of the content: the same folder has the same
 * CID however its blocks are kept.
 */
import { KIB } from '../../base/index.ts'
import { BlockCodec, type StoredBlock } from './types.ts'
import { compress } from './zstd.ts'

/** `store.compression`: how new blocks of a folder are kept. Blocks of peers stay as they come. */
export type Compression = 'zstd' | 'none'

/** A sample must come down to this share of its size: less gain is not worth decoding at each read. */
const MAX_SAMPLE_RATIO = 0.8
/** Chunks for which one sample stands: about 4 MiB. A disk image or an archive is not the same all over. */
export const CHUNKS_PER_SAMPLE = 64
/** Setting up a decoder takes as long as decoding this much. */
export const MIN_COMPRESSED_BYTES = 4 * KIB

/** Whether a sample of so many bytes, compressed to so many, says that the file is worth compressing. */
export function isWorthwhile(rawBytes: number, compressedBytes: number): boolean {
  return compressedBytes <= rawBytes * MAX_SAMPLE_RATIO
}

/** Places of a sample that are looked at, and bytes of each: one that holds text anywhere among noise mostly shows it. */
const LOOKS = 4
const LOOK_BYTES = 512
/**
 * The chi-square statistic of 256 equally frequent values is 255, with a deviation of 23. Text has thousands, and what could come down to
 * 0.8 of its size by the frequencies of its bytes alone has 4,500.
 */
const RANDOM_CHI_SQUARE = 400

/** Whether no byte is more frequent than another, as far as a few places tell. Repetitions of noise look so too. */
export function looksRandom(raw: Uint8Array): boolean {
  const counts = new Uint16Array(256)
  const stride = Math.floor((raw.byteLength - LOOK_BYTES) / (LOOKS - 1))
  for (let look = 0; look < LOOKS; look++) {
    const start = look * stride
    for (let i = start; i < start + LOOK_BYTES; i++) counts[raw[i]!]!++
  }
  const expected = (LOOKS * LOOK_BYTES) / counts.length
  let chiSquare = 0
  for (const count of counts) chiSquare += (count - expected) ** 2 / expected
  return chiSquare < RANDOM_CHI_SQUARE
}

/** Decides for the chunks of one file after another. Holds no bytes. */
export class FileCompressor {
  #isOn = false
  #chunksLeft = 0

  /** The next chunk belongs to another file. */
  beginFile(): void {
    this.#chunksLeft = 0
  }

  /** A new chunk, in the form in which it is to be kept. */
  pack(raw: Uint8Array): StoredBlock {
    const isSample = this.#chunksLeft === 0
    if (isSample) this.#chunksLeft = CHUNKS_PER_SAMPLE
    this.#chunksLeft--
    if (isSample) this.#isOn = raw.byteLength < MIN_COMPRESSED_BYTES || !looksRandom(raw)
    if (!this.#isOn) return plain(raw)
    const bytes = compress(raw)
    if (isSample) this.#isOn = isWorthwhile(raw.byteLength, bytes.byteLength)
    if (!this.#isOn || bytes.byteLength >= raw.byteLength) return plain(raw)
    return { codec: BlockCodec.Zstd, rawLengthBytes: raw.byteLength, bytes }
  }
}

/** A page of a manifest, in the form in which it is to be kept. */
export function packPage(raw: Uint8Array): StoredBlock {
  const bytes = compress(raw)
  if (!isWorthwhile(raw.byteLength, bytes.byteLength)) return plain(raw)
  return { codec: BlockCodec.Zstd, rawLengthBytes: raw.byteLength, bytes }
}

/** A block as it is. */
export function plain(raw: Uint8Array): StoredBlock {
  return { codec: BlockCodec.Raw, rawLengthBytes: raw.byteLength, bytes: raw }
}
