/**
 * Reads a tar stream as it comes, synchronously: bytes go in with `write`, entries and their data come out through a
 * sink. A tar stream is a row of 512-byte blocks: a header, then the file's bytes filled up to whole blocks, and two
 * blocks of zeros at the end. Names that do not fit the header (ustar, 100 bytes) come before it as PAX records.
 *
 * Everything is refused that a release cannot hold (hard links, devices, sparse files, global PAX headers), and a wrong
 * checksum, size or end: the stream comes from the daemon, but what is written with it belongs to the user.
 */
import { CatalogError, KIB } from '../../base/index.ts'
import { paddingBytes, TAR_BLOCK_BYTES, type TarEntry } from '../content/tar-header.ts'

/** Path, link target and size: a path has at most 3 KiB, a target 4 KiB. */
const PAX_MAX_BYTES = 32 * KIB
/** Where the fields of a ustar header stand: [offset, length]. */
const NAME = [0, 100] as const
const MODE = [100, 8] as const
const SIZE = [124, 12] as const
const CHECKSUM = [148, 8] as const
const TYPE_OFFSET = 156
const LINK = [157, 100] as const
const PREFIX = [345, 155] as const
const SPACE = 0x20

export interface TarSink {
  entry(entry: TarEntry): void
  /** The bytes of the file that was last announced; valid during the call only. */
  data(bytes: Uint8Array): void
  /** All bytes of that file have come. */
  fileEnd(): void
}

export class TarReader {
  readonly #sink: TarSink
  /** Collects a block, or the PAX records, that came in several pieces. */
  #partial: Buffer[] = []
  #partialBytes = 0
  #dataLeft = 0
  #paddingLeft = 0
  #paxBytes = 0
  #pax: Map<string, string> | undefined
  #zeroBlocks = 0

  constructor(sink: TarSink) {
    this.#sink = sink
  }

  /** Takes the next bytes of the stream. Throws CONTENT_INVALID, and whatever the sink throws. */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    while (at < bytes.length) {
      if (this.#dataLeft > 0) at += this.#passData(bytes.subarray(at))
      else if (this.#paddingLeft > 0) {
        const skipped = Math.min(this.#paddingLeft, bytes.length - at)
        this.#paddingLeft -= skipped
        at += skipped
      } else at += this.#collect(bytes.subarray(at))
    }
  }

  /** Call after the last byte. Throws STREAM_TRUNCATED when the tar is not at its end. */
  finish(): void {
    if (this.#zeroBlocks < 2 || this.#dataLeft > 0 || this.#partialBytes > 0)
      throw new CatalogError('STREAM_TRUNCATED', 'the content ended before the end mark of its tar stream')
  }

  #passData(bytes: Buffer): number {
    const count = Math.min(this.#dataLeft, bytes.length)
    this.#sink.data(bytes.subarray(0, count))
    this.#dataLeft -= count
    if (this.#dataLeft === 0) this.#sink.fileEnd()
    return count
  }

  #collect(bytes: Buffer): number {
    const wanted = this.#paxBytes > 0 ? this.#paxBytes : TAR_BLOCK_BYTES
    const count = Math.min(wanted - this.#partialBytes, bytes.length)
    if (this.#partialBytes === 0 && count === wanted) {
      this.#whole(bytes.subarray(0, count))
      return count
    }
    this.#partial.push(Buffer.from(bytes.subarray(0, count)))
    this.#partialBytes += count
    if (this.#partialBytes === wanted) {
      const block = Buffer.concat(this.#partial)
      this.#partial = []
      this.#partialBytes = 0
      this.#whole(block)
    }
    return count
  }

  #whole(block: Buffer): void {
    if (this.#paxBytes === 0) this.#header(block)
    else {
      this.#pax = parsePax(block)
      this.#paddingLeft = paddingBytes(this.#paxBytes)
      this.#paxBytes = 0
    }
  }

  #header(block: Buffer): void {
    if (isZero(block)) {
      this.#zeroBlocks++
      return
    }
    if (this.#zeroBlocks > 0) throw invalid('something follows the end mark')
    checkChecksum(block)
    const type = String.fromCharCode(block[TYPE_OFFSET] ?? 0)
    const sizeBytes = readSize(block, this.#pax)
    if (type === 'x') this.#beginPax(sizeBytes)
    else this.#announce(toEntry(block, type, sizeBytes, this.#pax))
  }

  #announce(entry: TarEntry): void {
    this.#pax = undefined
    this.#sink.entry(entry)
    if (entry.kind !== 'file') return
    this.#dataLeft = entry.sizeBytes
    this.#paddingLeft = paddingBytes(entry.sizeBytes)
    if (entry.sizeBytes === 0) this.#sink.fileEnd()
  }

  #beginPax(sizeBytes: number): void {
    if (this.#pax !== undefined) throw invalid('two PAX headers in a row')
    if (sizeBytes === 0 || sizeBytes > PAX_MAX_BYTES) throw invalid(`a PAX header of ${sizeBytes} bytes`)
    this.#paxBytes = sizeBytes
  }
}

function toEntry(
  block: Buffer,
  type: string,
  sizeBytes: number,
  pax: Map<string, string> | undefined
): TarEntry {
  const path = pax?.get('path') ?? joinPrefix(text(block, PREFIX), text(block, NAME))
  if (type === '0' || type === '\0') return { kind: 'file', path, mode: octal(block, MODE), sizeBytes }
  if (sizeBytes !== 0) throw invalid(`${JSON.stringify(path)} is no file but has a size`)
  if (type === '2') return { kind: 'symlink', path, target: pax?.get('linkpath') ?? text(block, LINK) }
  if (type === '5')
    return {
      kind: 'directory',
      path: path.endsWith('/') ? path.slice(0, -1) : path,
      mode: octal(block, MODE)
    }
  throw invalid(`${JSON.stringify(path)} is of type ${JSON.stringify(type)}`)
}

function joinPrefix(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}/${name}`
}

function readSize(block: Buffer, pax: Map<string, string> | undefined): number {
  const told = pax?.get('size')
  if (told === undefined) return octal(block, SIZE)
  const size = /^\d{1,16}$/.test(told) ? Number(told) : Number.NaN
  if (!Number.isSafeInteger(size)) throw invalid(`a size of ${JSON.stringify(told)}`)
  return size
}

/** Text up to the first NUL of a field. */
function text(block: Buffer, [offset, length]: readonly [number, number]): string {
  const end = block.indexOf(0, offset)
  return block.toString('utf8', offset, end === -1 || end > offset + length ? offset + length : end)
}

function octal(block: Buffer, field: readonly [number, number]): number {
  const digits = text(block, field).trim()
  if (!/^[0-7]*$/.test(digits)) throw invalid(`a number of ${JSON.stringify(digits)}`)
  return Number.parseInt(digits || '0', 8)
}

/** The sum of all bytes of the header, its own field read as spaces. */
function checkChecksum(block: Buffer): void {
  let sum = 0
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) {
    sum += at >= CHECKSUM[0] && at < CHECKSUM[0] + CHECKSUM[1] ? SPACE : (block[at] ?? 0)
  }
  if (octal(block, CHECKSUM) !== sum) throw invalid('a header with a wrong checksum')
}

/** Records `LENGTH key=value\n` where LENGTH counts the whole record. */
function parsePax(block: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  let at = 0
  while (at < block.length) {
    const space = block.indexOf(SPACE, at)
    const digits = space === -1 ? '' : block.toString('latin1', at, space)
    const length = /^[1-9]\d{0,5}$/.test(digits) ? Number(digits) : 0
    const end = at + length
    if (length === 0 || end > block.length || end <= space + 1 || block[end - 1] !== 0x0a)
      throw invalid('a PAX record that cannot be read')
    const [key = '', ...value] = block.toString('utf8', space + 1, end - 1).split('=')
    records.set(key, value.join('='))
    at = end
  }
  return records
}

function isZero(block: Buffer): boolean {
  return block[0] === 0 && block.every(byte => byte === 0)
}

function invalid(what: string): CatalogError {
  return new CatalogError('CONTENT_INVALID', `the tar stream of the content is refused: ${what}`)
}
