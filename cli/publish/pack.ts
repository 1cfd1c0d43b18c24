/**
 * A listed folder as a tar stream, without times and owners: they are not part of a release.
 *
 * Files are read straight into the outgoing buffer, many small ones to a buffer, so that the stream costs one copy
 * fewer and few writes. Each file is opened without following links, compared with what the listing saw before and after
 * reading, and must have exactly the length it had.
 */
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { MIB } from '../../base/index.ts'
import { paddingBytes, TAR_END, tarHead } from '../../library/index.ts'
import { sourceChanged, sourceUnreadable } from './source-errors.ts'
import { checkUnchanged, fingerprintOf, type SourceEntry } from './walk.ts'

/** One write to the socket; also room for headers and many small files. */
const BUFFER_BYTES = MIB

export interface PackProgress {
  bytesDone: number
  itemsDone: number
}

/**
 * The tar stream in buffers that are valid until the next one is asked for. `onProgress` hears of each buffer. Throws
 * SOURCE_CHANGED and SOURCE_UNREADABLE.
 */
export function* packFolder(
  root: string,
  entries: readonly SourceEntry[],
  onProgress: (progress: PackProgress) => void
): Generator<Uint8Array> {
  const writer = new BufferedWriter()
  const progress: PackProgress = { bytesDone: 0, itemsDone: 0 }
  for (const entry of entries) {
    const head = tarHead(entry)
    if (writer.free < head.length) yield writer.take()
    writer.append(head)
    if (entry.kind === 'file') {
      for (const full of packFile(root, entry, writer)) {
        onProgress(progress)
        yield full
      }
      progress.bytesDone += entry.sizeBytes
      progress.itemsDone++
    }
  }
  if (writer.free < TAR_END.length) yield writer.take()
  writer.append(TAR_END)
  onProgress(progress)
  yield writer.take()
}

/** Throws SOURCE_CHANGED when an entry is not what the listing saw: called once everything was read. */
export function checkAllUnchanged(root: string, entries: readonly SourceEntry[]): void {
  for (const entry of entries) {
    if (entry.kind === 'directory') continue
    let stats: BigIntStats
    try {
      stats = lstatSync(path.join(root, entry.path), { bigint: true })
    } catch {
      throw sourceChanged(entry.path)
    }
    checkUnchanged(entry.path, entry.fingerprint, fingerprintOf(stats))
  }
}

function* packFile(
  root: string,
  entry: SourceEntry & { kind: 'file' },
  writer: BufferedWriter
): Generator<Uint8Array> {
  const descriptor = openSource(root, entry.path)
  try {
    checkUnchanged(entry.path, entry.fingerprint, fingerprintOf(fstatSync(descriptor, { bigint: true })))
    let left = entry.sizeBytes
    while (left > 0) {
      if (writer.free === 0) yield writer.take()
      const count = readInto(writer, descriptor, left, entry.path)
      if (count === 0) throw sourceChanged(entry.path)
      left -= count
    }
    checkUnchanged(entry.path, entry.fingerprint, fingerprintOf(fstatSync(descriptor, { bigint: true })))
  } finally {
    closeSync(descriptor)
  }
  const padding = paddingBytes(entry.sizeBytes)
  if (writer.free < padding) yield writer.take()
  writer.appendZeros(padding)
}

function openSource(root: string, entryPath: string): number {
  try {
    // O_NONBLOCK: what became a pipe since it was listed must not hang us.
    return openSync(
      path.join(root, entryPath),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    )
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw code === 'ENOENT' || code === 'ELOOP'
      ? sourceChanged(entryPath)
      : sourceUnreadable(entryPath, cause)
  }
}

function readInto(writer: BufferedWriter, descriptor: number, wanted: number, entryPath: string): number {
  try {
    return writer.fill(wanted, (buffer, offset, length) => readSync(descriptor, buffer, offset, length, null))
  } catch (cause) {
    throw sourceUnreadable(entryPath, cause)
  }
}

/** One buffer that is filled, handed out and filled again. */
class BufferedWriter {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #filled = 0

  get free(): number {
    return BUFFER_BYTES - this.#filled
  }

  append(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  appendZeros(count: number): void {
    this.#buffer.fill(0, this.#filled, this.#filled + count)
    this.#filled += count
  }

  /** Has `read` put at most `wanted` bytes behind what is there; returns how many it was. */
  fill(wanted: number, read: (buffer: Buffer, offset: number, length: number) => number): number {
    const count = read(this.#buffer, this.#filled, Math.min(wanted, this.free))
    this.#filled += count
    return count
  }

  take(): Uint8Array {
    const taken = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    return taken
  }
}
