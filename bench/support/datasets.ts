/** Folders to publish, made from a seed: the same bytes in every run, no two chunks alike, and none that shrinks but of text. */
import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MIB } from '../../base/index.ts'

const BLOCK_BYTES = 4 * MIB

/** A stream of bytes that looks random: AES-CTR over zeros. */
class RandomBytes {
  readonly #cipher
  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest()
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  }
  next(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length))
  }
}

export interface Dataset {
  folder: string
  files: number
  sizeBytes: number
}

export const largeFile = (folder: string, sizeBytes: number, seed = 'large'): Dataset => {
  mkdirSync(folder, { recursive: true })
  const random = new RandomBytes(seed)
  const file = openSync(join(folder, 'image.bin'), 'w')
  for (let at = 0; at < sizeBytes; at += BLOCK_BYTES)
    writeSync(file, random.next(Math.min(BLOCK_BYTES, sizeBytes - at)))
  closeSync(file)
  return { folder, files: 1, sizeBytes }
}

const WORDS = 4096
const WORD_LETTERS = 9
const LINE_WORDS = 10

/** One file of lines of words, some words more frequent than others, so that zstd makes about half of it. */
export const textFile = (folder: string, sizeBytes: number): Dataset => {
  mkdirSync(folder, { recursive: true })
  const random = new RandomBytes('text')
  const letters = random.next(WORDS * WORD_LETTERS)
  const words = Array.from({ length: WORDS }, (_, i) =>
    Array.from(letters.subarray(i * WORD_LETTERS, i * WORD_LETTERS + 3 + (i % (WORD_LETTERS - 2))), letter =>
      String.fromCharCode(97 + (letter % 26))
    ).join('')
  )
  const file = openSync(join(folder, 'text.txt'), 'w')
  for (let written = 0; written < sizeBytes; ) {
    const picks = random.next(MIB)
    let text = ''
    for (let at = 0; at < picks.length && text.length < sizeBytes - written; at += 2) {
      // The product of two is small more often than large.
      const word = words[(picks[at]! * picks[at + 1]!) >> 4]!
      text += word + ((at / 2) % LINE_WORDS === 0 ? '\n' : ' ')
    }
    written += writeSync(file, text.slice(0, sizeBytes - written))
  }
  closeSync(file)
  return { folder, files: 1, sizeBytes }
}

const FILES_PER_FOLDER = 100
/** Sizes as in a tree of sources and assets: most small, a few large; 16.9 kB on average. */
const SMALL_FILE_SIZES = [700, 1_900, 3_800, 6_200, 9_100, 13_000, 18_000, 24_000, 34_000, 58_300] as const

const filePath = (index: number): [string, string] => [
  `d${String(Math.floor(index / FILES_PER_FOLDER)).padStart(4, '0')}`,
  `f${index}.dat`
]

export const smallFiles = (folder: string, count: number): Dataset => {
  const random = new RandomBytes('small')
  let sizeBytes = 0
  for (let index = 0; index < count; index++) {
    const [directory, name] = filePath(index)
    if (index % FILES_PER_FOLDER === 0) mkdirSync(join(folder, directory), { recursive: true })
    const bytes = random.next(SMALL_FILE_SIZES[index % SMALL_FILE_SIZES.length]!)
    writeFileSync(join(folder, directory, name), bytes)
    sizeBytes += bytes.length
  }
  return { folder, files: count, sizeBytes }
}

/** Rewrites `changed` files of a small-file folder and adds `added` new ones; returns how many bytes are new. */
export const changeFiles = (folder: string, total: number, changed: number, added: number): number => {
  const random = new RandomBytes('changed')
  let newBytes = 0
  const write = (index: number): void => {
    const [directory, name] = filePath(index)
    mkdirSync(join(folder, directory), { recursive: true })
    const bytes = random.next(SMALL_FILE_SIZES[index % SMALL_FILE_SIZES.length]!)
    writeFileSync(join(folder, directory, name), bytes)
    newBytes += bytes.length
  }
  for (let i = 0; i < changed; i++) write(Math.floor((i * total) / changed) + i)
  for (let i = 0; i < added; i++) write(total + i)
  return newBytes
}
