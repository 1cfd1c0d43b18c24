import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../base/index.ts'
import { QuicStream } from '../quic/index.ts'
import type { Budget, Priority } from '../throttle/index.ts'
import { drained } from '../wire/frame-writer.ts'
import type { AnswerPlace } from './answer-memory.ts'
import { SLOW_READER_MS } from './limits.ts'
import type { Patience } from './patience.ts'
import type { Prepared } from './prepared.ts'

export interface AnswerSenderModules {
  readonly stream: Stream
  /** Peer id of who reads it. */
  readonly peer: string
  readonly upload: Budget
  readonly patience: Patience
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Puts answers into one stream, each when the stream takes more: so at most one is queued there, however slowly the peer
 * reads. The places of answers come back when the transport has copied their bytes.
 */
export class AnswerSender {
  readonly #modules: AnswerSenderModules
  /** Places of answers that the transport may not have copied yet, and where in what was sent they end. */
  readonly #sent: Array<{ place: AnswerPlace; endBytes: number }> = []
  #sentBytes = 0

  constructor(modules: AnswerSenderModules) {
    this.#modules = modules
  }

  /** Bytes that the stream was given so far. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Resolves when the stream has all of the answer. Rejects when the stream ends before, or with the signal's reason. */
  async send({ frame, hasBlocks, place }: Prepared, priority: Priority): Promise<void> {
    if (hasBlocks) await this.#sendPieces(frame, priority)
    else {
      await this.#drained(0)
      this.#sendPiece(frame)
    }
    if (place === undefined) return
    this.#sent.push({ place, endBytes: this.#sentBytes })
    this.#takeBack()
    void this.#handedOver().then(() => this.#takeBack())
  }

  /**
   * In pieces, each when the stream takes more and the peer has its turn. Only what waits for the peer counts against the
   * peer's time, however slow its limit is.
   */
  async #sendPieces(frame: Uint8Array, priority: Priority): Promise<void> {
    const { upload, peer, signal } = this.#modules
    let waitedMs = 0
    for (let offset = 0; offset < frame.byteLength; ) {
      waitedMs += await this.#drained(waitedMs)
      const restBytes = frame.byteLength - offset
      const slices = Math.ceil(restBytes / (upload.sliceBytes(peer, priority) ?? restBytes))
      // Equal pieces: a small one at the end would cost a turn and carry little.
      const piece = frame.subarray(offset, offset + Math.ceil(restBytes / slices))
      await upload.take(peer, priority, piece.byteLength, signal)
      this.#sendPiece(piece)
      offset += piece.byteLength
    }
  }

  #sendPiece(piece: Uint8Array): void {
    this.#modules.stream.send(piece)
    this.#sentBytes += piece.byteLength
  }

  /** Waits until the stream takes more, under the time for one answer, of which some has gone by. Says how long it was. */
  async #drained(goneMs: number): Promise<number> {
    const { stream, clock, patience, signal } = this.#modules
    if (!stream.writableNeedsDrain) return 0
    const startMs = clock.monotonicMs()
    await patience.wait(SLOW_READER_MS - goneMs, 'the peer did not take an answer', () =>
      drained(stream, signal)
    )
    return clock.monotonicMs() - startMs
  }

  /** Waits until the peer has room for all that was sent to it, under the time for one answer. */
  async whenTaken(): Promise<void> {
    await this.#modules.patience.wait(SLOW_READER_MS, 'the peer did not take its answers', () =>
      this.#handedOver()
    )
  }

  /** Resolves when the transport has taken what was sent, or the stream has ended. */
  async #handedOver(): Promise<void> {
    const { stream } = this.#modules
    if (stream instanceof QuicStream) await stream.flushed
    else await drained(stream).catch(() => undefined)
  }

  /** Gives places back whose bytes the transport has copied. Only our own stream says so, byte by byte. */
  #takeBack(): void {
    const { stream } = this.#modules
    const isOurs = stream instanceof QuicStream
    const unwrittenBytes = isOurs ? stream.unwrittenBytes : stream.writableNeedsDrain ? this.#sentBytes : 0
    const writtenBytes = this.#sentBytes - unwrittenBytes
    while (this.#sent.length > 0 && this.#sent[0]!.endBytes <= writtenBytes)
      this.#sent.shift()!.place.free(isOurs)
  }
}
