/**
 * Segments open for reading: at most 64 at a time, the least recently used closed first, never one that is
 * being read.
 */
import { close, open, readv } from 'node:fs'
import { promisify } from 'node:util'
import { segmentPath } from './local-segments.ts'
import type { SegmentReads } from './segment-backend.ts'

/** With 64 MiB each these cover 4 GiB of hot content, and a process may open 1,024 files on most systems. */
const MAX_OPEN_SEGMENTS = 64

const openFile = promisify(open)
const closeFile = promisify(close)

interface OpenSegment {
  fd: Promise<number>
  readers: number
  /** Taken out of the map while it was read: the last reader closes it. */
  evicted: boolean
}

export class SegmentFiles implements SegmentReads {
  readonly #folder: string
  /** Least recently used first. */
  readonly #open = new Map<number, OpenSegment>()

  constructor(folder: string) {
    this.#folder = folder
  }

  readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    return this.#with(segment, async fd => {
      let filled = 0
      // The system may give fewer bytes than there are, and says so by giving none only at the end.
      for (let rest = targets; rest.length > 0; ) {
        const bytes = await readOnce(fd, rest, positionBytes + filled)
        if (bytes === 0) break
        filled += bytes
        rest = without(rest, bytes)
      }
      return filled
    })
  }

  drop(segment: number): void {
    const file = this.#open.get(segment)
    if (file === undefined) return
    this.#open.delete(segment)
    void this.#evict(file)
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(all.map(segment => this.#evict(segment)))
  }

  async #with<T>(segment: number, use: (fd: number) => Promise<T>): Promise<T> {
    const file = this.#take(segment)
    file.readers++
    try {
      const fd = await file.fd.catch(thrown => {
        // What could not be opened now (EMFILE, EIO) may be later: the next reader tries again.
        if (this.#open.get(segment) === file) this.#open.delete(segment)
        throw thrown
      })
      return await use(fd)
    } finally {
      file.readers--
      if (file.evicted && file.readers === 0) await closeOpened(file)
    }
  }

  #take(segment: number): OpenSegment {
    const known = this.#open.get(segment)
    if (known !== undefined) {
      this.#open.delete(segment)
      this.#open.set(segment, known)
      return known
    }
    const opened = { fd: openFile(segmentPath(this.#folder, segment), 'r'), readers: 0, evicted: false }
    this.#open.set(segment, opened)
    for (const [number, oldest] of this.#open) {
      if (this.#open.size <= MAX_OPEN_SEGMENTS) break
      this.#open.delete(number)
      void this.#evict(oldest)
    }
    return opened
  }

  async #evict(segment: OpenSegment): Promise<void> {
    segment.evicted = true
    if (segment.readers === 0) await closeOpened(segment)
  }
}

function readOnce(fd: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    readv(fd, targets, positionBytes, (error, bytes) => (error === null ? resolve(bytes) : reject(error)))
  })
}

/** What is left of buffers once their first bytes are filled. */
function without(targets: Uint8Array[], filledBytes: number): Uint8Array[] {
  let skipped = filledBytes
  const rest = targets.map(target => {
    const part = target.subarray(Math.min(skipped, target.byteLength))
    skipped -= target.byteLength - part.byteLength
    return part
  })
  return rest.filter(part => part.byteLength > 0)
}

/** Closes a file once opened. One that could not be opened has told its reader and needs no closing. */
async function closeOpened(segment: OpenSegment): Promise<void> {
  const fd = await segment.fd.catch(() => undefined)
  if (fd !== undefined) await closeFile(fd)
}
