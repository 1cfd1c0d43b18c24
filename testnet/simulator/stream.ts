import { CatalogError, KIB, MIB } from '../../base/index.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** What may be under way or unread in one direction before its writer waits. */
export const WINDOW_BYTES = MIB
/** Pieces that a stream is cut into on its way; their borders are nowhere near those of frames. */
const MAX_PIECE_BYTES = 64 * KIB

/** One end of a stream. */
export interface End {
  /** Both ends of a stream have the same. */
  readonly streamId: number
  /** What comes from the other end. Ends where that one closes, and throws STREAM_TRUNCATED where the connection is lost. */
  readonly source: AsyncIterable<Uint8Array>
  /** Resolves when there is room for more; rejects when the stream is no longer open. */
  write(bytes: Uint8Array): Promise<void>
  /** No more will be written or read; what was written still arrives. */
  close(): void
  /** Ends both directions at once, as a lost connection would. */
  cut(): void
}

export interface PipeModules {
  streamId: number
  timeline: Timeline
  random: Random
  delayMs: () => number
  onPiece: (sizeBytes: number) => void
  /** Called once, when neither end is open any more. */
  onEnd: () => void
}

export function openPipe(modules: PipeModules): { near: End; far: End; cut: () => void } {
  const there = new Direction(modules)
  const back = new Direction(modules)
  let open = 2
  let hasEnded = false
  const end = (): void => {
    if (hasEnded) return
    hasEnded = true
    modules.onEnd()
  }
  const cut = (): void => {
    there.cut()
    back.cut()
    end()
  }
  const endOf = (out: Direction, into: Direction): End => {
    let isOpen = true
    return {
      streamId: modules.streamId,
      source: into,
      write: bytes => out.write(bytes),
      close: () => {
        if (!isOpen) return
        isOpen = false
        out.end()
        into.forget()
        if (--open === 0) end()
      },
      cut
    }
  }
  return { near: endOf(there, back), far: endOf(back, there), cut }
}

/** Bytes on their way from one end to the other, in order. */
class Direction implements AsyncIterable<Uint8Array> {
  readonly #modules: PipeModules
  readonly #arrived: Uint8Array[] = []
  #heldBytes = 0
  #lastAtMs = 0
  #state: 'open' | 'ending' | 'ended' | 'cut' | 'forgotten' = 'open'
  #wakeReader: () => void = () => undefined
  readonly #writers: Array<() => void> = []

  constructor(modules: PipeModules) {
    this.#modules = modules
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      while (this.#heldBytes >= WINDOW_BYTES && this.#state === 'open')
        await new Promise<void>(resolve => this.#writers.push(resolve))
      if (this.#state !== 'open') throw lost()
      const piece = bytes.subarray(at, at + 1 + this.#modules.random.below(MAX_PIECE_BYTES))
      at += piece.byteLength
      this.#heldBytes += piece.byteLength
      this.#later(() => this.#arrived.push(piece))
      this.#modules.onPiece(piece.byteLength)
    }
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#later(() => {
      if (this.#state === 'ending') this.#state = 'ended'
    })
  }

  cut(): void {
    if (this.#state === 'ended') return
    this.#state = 'cut'
    this.#wake()
  }

  /** The reader has gone: nothing is kept for it, and nobody waits for room. */
  forget(): void {
    if (this.#state !== 'cut') this.#state = 'forgotten'
    this.#arrived.length = 0
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#state === 'cut' ? undefined : this.#arrived.shift()
      if (piece !== undefined) {
        this.#heldBytes -= piece.byteLength
        this.#writers.shift()?.()
        yield piece
      } else if (this.#state === 'cut') throw lost()
      else if (this.#state === 'ended' || this.#state === 'forgotten') return
      else await new Promise<void>(resolve => (this.#wakeReader = resolve))
    }
  }

  /** What is sent later does not arrive earlier. */
  #later(arrive: () => void): void {
    const { timeline, delayMs } = this.#modules
    this.#lastAtMs = Math.max(this.#lastAtMs, timeline.nowMs + delayMs())
    timeline.after(this.#lastAtMs - timeline.nowMs, () => {
      if (this.#state === 'cut' || this.#state === 'forgotten') return
      arrive()
      this.#wakeReader()
    })
  }

  #wake(): void {
    this.#wakeReader()
    for (const resume of this.#writers.splice(0)) resume()
  }
}

const lost = (): CatalogError => new CatalogError('STREAM_TRUNCATED', 'the connection was lost')
