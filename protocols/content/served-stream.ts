import type { PeerId, Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { BufferPool, CatalogError, type Clock } from '../../base/index.ts'
import {
  BlockCodec,
  type ContentStore,
  type Registry,
  type ReleaseRecord,
  type StoredBlock
} from '../../library/index.ts'
import { pull, QuicStream } from '../quic/index.ts'
import { type Budget, lesserPriority, type Priority } from '../throttle/index.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { drained } from '../wire/frame-writer.ts'
import { statusOf } from '../wire/status.ts'
import { type Have, openMessage, type Range, rangeMessage } from './frames.ts'
import {
  BUSY_RETRY_MS,
  IDLE_MS,
  MAX_ANSWER_BYTES,
  MAX_OPEN_BYTES,
  MAX_PIPELINED,
  MAX_RANGE_MESSAGE_BYTES,
  MAX_REFUSED_QUEUED,
  OPEN_DEADLINE_MS,
  SLOW_READER_MS
} from './limits.ts'
import type { PartialContents } from './partial-contents.ts'
import { describe, frameOf, HEADER_ROOM_BYTES, type Prepared, withoutBlocks } from './prepared.ts'
import { DEFAULT_PRIORITY, priorityOfWire } from './priority.ts'
import type { ContentResolver, ResolvedBlock } from './resolver.ts'
import type { ServingHolds } from './serving-holds.ts'

/** Of an answer on its way, one that follows it and one that is being read. */
const MAX_KEPT_BUFFERS = 3

/** May this peer read this release? Asked once for each stream. */
export type MayRead = (peerId: PeerId, record: ReleaseRecord) => boolean | Promise<boolean>

export interface ServedStreamModules {
  readonly stream: Stream
  readonly peerId: PeerId
  readonly store: Pick<ContentStore, 'readStoredMany' | 'localState'>
  readonly holds: ServingHolds
  /** Contents of which a part is here and more is on its way. */
  readonly partials: PartialContents
  readonly registry: Pick<Registry, 'get'>
  readonly resolver: ContentResolver
  readonly mayRead: MayRead
  readonly clock: Clock
  readonly upload: Budget
  /** Most urgent class that this peer may claim. */
  readonly maxPriority: Priority
  readonly onAnswer: (status: number, bytes: number) => void
}

/** A request that waits. One beyond the limit is answered BUSY, in its turn like all others. */
interface Queued {
  readonly range: Range
  readonly isRefused: boolean
}

/**
 * The serving end of one bulk stream. Requests are read into a short queue and answered in their order; while one
 * answer is on its way the next is read from the disk. An answer to a limited peer goes out in small pieces that each wait
 * for their turn among those of all streams. Nothing is handed to the stream while it waits for drain, so at
 * most one answer is queued there and one is prepared, however slowly the peer reads.
 */
export class ServedStream {
  readonly #modules: ServedStreamModules
  readonly #reader: FrameReader
  readonly #abort = new AbortController()
  readonly #queue: Queued[] = []
  /** Those of the queue that will be worked on. */
  #accepted = 0
  readonly #buffers = new BufferPool({
    sizeBytes: HEADER_ROOM_BYTES + MAX_ANSWER_BYTES,
    maxKept: MAX_KEPT_BUFFERS
  })
  /** Memory of answers that the transport may not have copied yet, and where in what was sent they end. */
  readonly #sent: Array<{ memory: Uint8Array; endBytes: number }> = []
  #sentBytes = 0
  /** Codecs of blocks that the peer reads. */
  readonly #codecs = new Set<number>([BlockCodec.Raw])
  #priority: Priority = DEFAULT_PRIORITY
  #isInputOver = false
  /** What the peer is waited for, and since when. */
  #waiting: { limitMs: number; sinceMs: number; what: string } | undefined
  #wakeSender: (() => void) | undefined
  #wakeReader: (() => void) | undefined

  constructor(modules: ServedStreamModules) {
    this.#modules = modules
    this.#reader = new FrameReader(pull(modules.stream, { signal: this.#abort.signal }))
  }

  /** Serves until the peer has closed its side and has all answers. Rejects when the stream fails or is cut. */
  async run(): Promise<void> {
    let done: (() => void) | undefined
    try {
      const record = await this.#open()
      if (record === undefined) return
      // Nobody who fetches from here loses the rest of it to a collection.
      done = this.#modules.holds.take(this.#modules.peerId.toString(), record.release)
      await Promise.all([this.#readRequests(), this.#sendAnswers(record.release.content)])
      // What was handed to the stream may still wait for the peer to read it.
      await this.#await(SLOW_READER_MS, 'the peer did not take the last answers', () =>
        this.#modules.stream.close({ signal: this.#abort.signal })
      )
    } catch (error) {
      this.cut(error)
      throw this.#abort.signal.reason
    } finally {
      done?.()
    }
  }

  /** Ends the stream at once; the first reason stays. */
  cut(error: unknown): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort(error)
    this.#modules.stream.abort(error instanceof Error ? error : new Error(String(error)))
    this.#wakeSender?.()
    this.#wakeReader?.()
  }

  /** Says why not, in place of `run`, and waits a little until the peer has read it. Never rejects. */
  async refuse(error: unknown): Promise<void> {
    try {
      await this.#await(OPEN_DEADLINE_MS, 'the peer did not take a refusal', async () => {
        await this.#send(withoutBlocks({ id: 0, ...statusOf(error) }))
        await this.#modules.stream.close({ signal: this.#abort.signal })
        // A reset would overtake the refusal, so the peer ends the stream: its other frames are read and dropped.
        while ((await this.#reader.frame('content range', MAX_RANGE_MESSAGE_BYTES)) !== undefined) {
          // dropped
        }
      })
    } catch (thrown) {
      this.cut(thrown)
    }
  }

  /** Cuts the stream when the peer has let it wait too long. */
  tick(nowMs: number): void {
    const waiting = this.#waiting
    if (waiting !== undefined && nowMs - waiting.sinceMs >= waiting.limitMs)
      this.cut(new CatalogError('TIMEOUT', `${waiting.what} within ${waiting.limitMs} ms`))
  }

  /** The release the stream is about; undefined when it was refused. */
  async #open(): Promise<ReleaseRecord | undefined> {
    const frame = await this.#await(OPEN_DEADLINE_MS, 'the peer sent no open', () =>
      this.#reader.frame('content open', MAX_OPEN_BYTES)
    )
    if (frame === undefined) throw new CatalogError('STREAM_TRUNCATED', 'the stream ended before its open')
    const { record: id, codecs, priority } = openMessage.decode(frame)
    for (const codec of codecs) this.#codecs.add(codec)
    this.#priority = lesserPriority(priorityOfWire(priority), this.#modules.maxPriority)
    let record: ReleaseRecord
    let have: Have | undefined
    try {
      record = await this.#admit(id)
      have = this.#have(record.release.content)
    } catch (error) {
      await this.refuse(error)
      return undefined
    }
    await this.#send(withoutBlocks({ id: 0, have }))
    return record
  }

  async #admit(idBytes: Uint8Array): Promise<ReleaseRecord> {
    const { registry, mayRead, peerId } = this.#modules
    const record = registry.get(decodeCid(idBytes))
    if (record === undefined) throw new CatalogError('NOT_FOUND', 'this release is not known here')
    if (!(await mayRead(peerId, record)))
      throw new CatalogError('PEER_REFUSED', 'this release is not for this peer')
    return record
  }

  /** What is here of a content: undefined when it is everything. */
  #have(content: CID): Have | undefined {
    const { store, partials } = this.#modules
    if (store.localState(content) === 'complete') return undefined
    const have = partials.have(content)
    if (have === undefined)
      throw new CatalogError('NOT_FOUND', 'the content of this release is not here, and not on its way')
    return have
  }

  async #readRequests(): Promise<void> {
    for (;;) {
      const frame = await this.#reader.frame('content range', MAX_RANGE_MESSAGE_BYTES)
      if (frame === undefined) break
      const isRefused = this.#accepted >= MAX_PIPELINED
      this.#queue.push({ range: rangeMessage.decode(frame), isRefused })
      if (!isRefused) this.#accepted++
      this.#wakeSender?.()
      while (this.#queue.length >= MAX_PIPELINED + MAX_REFUSED_QUEUED) {
        await new Promise<void>(resolve => {
          this.#wakeReader = resolve
        })
        this.#abort.signal.throwIfAborted()
      }
    }
    this.#isInputOver = true
    this.#wakeSender?.()
  }

  async #sendAnswers(content: CID): Promise<void> {
    let next = this.#prepareQueued(content)
    for (;;) {
      if (next === undefined) {
        if (!(await this.#requestCame())) return
        next = this.#prepareQueued(content)
        continue
      }
      const answer = await next
      next = this.#prepareQueued(content)
      await this.#send(answer)
    }
  }

  /** Waits for a request; false when none will come. */
  async #requestCame(): Promise<boolean> {
    while (this.#queue.length === 0) {
      this.#abort.signal.throwIfAborted()
      if (this.#isInputOver) return false
      await this.#await(IDLE_MS, 'the peer asked for nothing', () => {
        return new Promise<void>(resolve => {
          this.#wakeSender = resolve
        })
      })
    }
    return true
  }

  /** Begins with the request whose turn it is, if one is queued. The promise never rejects. */
  #prepareQueued(content: CID): Promise<Prepared> | undefined {
    const queued = this.#queue.shift()
    if (queued === undefined) return undefined
    this.#wakeReader?.()
    const { range, isRefused } = queued
    if (isRefused) return Promise.resolve(withoutBlocks({ id: range.id, ...statusOf(tooMany()) }))
    this.#accepted--
    return this.#prepare(content, range)
  }

  async #prepare(content: CID, { id, runs, have }: Range): Promise<Prepared> {
    const { resolver, store } = this.#modules
    const { signal } = this.#abort
    try {
      if (have) return withoutBlocks({ id, have: this.#have(content) })
      const named = await resolver.resolve(content, runs, signal)
      let memory: Uint8Array = new Uint8Array(0)
      const memoryOf = (sizeBytes: number): Uint8Array => {
        memory = this.#buffers.take(HEADER_ROOM_BYTES + sizeBytes)
        return memory.subarray(HEADER_ROOM_BYTES)
      }
      const ids = named.map(block => block.id)
      const blocks = await store.readStoredMany(ids, memoryOf, signal)
      checkLengths(blocks, named)
      this.#checkCodecs(blocks)
      return { status: 0, frame: frameOf({ id, blocks: blocks.map(describe) }, memory), memory }
    } catch (error) {
      return withoutBlocks({ id, ...statusOf(error) })
    }
  }

  #checkCodecs(blocks: readonly StoredBlock[]): void {
    if (!blocks.every(({ codec }) => this.#codecs.has(codec)))
      throw new CatalogError('UNSUPPORTED', 'a block is stored in a codec that the asker does not read')
  }

  async #send(answer: Prepared): Promise<void> {
    const { status, frame, memory } = answer
    if (memory === undefined) {
      await this.#drained(0)
      this.#sendPiece(frame)
    } else await this.#sendBlocks(frame, memory)
    this.#modules.onAnswer(status, frame.byteLength)
  }

  /**
   * Sends an answer in pieces, each when the stream takes more and the peer has its turn. Only what waits for the peer
   * counts against the peer's time, however slow its limit is.
   */
  async #sendBlocks(frame: Uint8Array, memory: Uint8Array): Promise<void> {
    const { upload, peerId } = this.#modules
    const peer = peerId.toString()
    let waitedMs = 0
    for (let offset = 0; offset < frame.byteLength; ) {
      waitedMs += await this.#drained(waitedMs)
      const restBytes = frame.byteLength - offset
      const slices = Math.ceil(restBytes / (upload.sliceBytes(peer, this.#priority) ?? restBytes))
      // Equal pieces: a small one at the end would cost a turn and carry little.
      const piece = frame.subarray(offset, offset + Math.ceil(restBytes / slices))
      await upload.take(peer, this.#priority, piece.byteLength, this.#abort.signal)
      this.#sendPiece(piece)
      offset += piece.byteLength
    }
    this.#sent.push({ memory, endBytes: this.#sentBytes })
    this.#takeBack()
  }

  #sendPiece(piece: Uint8Array): void {
    this.#modules.stream.send(piece)
    this.#sentBytes += piece.byteLength
  }

  /** Waits until the stream takes more, under the time for one answer, of which some has gone by. Says how long it was. */
  async #drained(goneMs: number): Promise<number> {
    const { stream, clock } = this.#modules
    if (!stream.writableNeedsDrain) return 0
    const startMs = clock.monotonicMs()
    await this.#await(SLOW_READER_MS - goneMs, 'the peer did not take an answer', () =>
      drained(stream, this.#abort.signal)
    )
    return clock.monotonicMs() - startMs
  }

  /** Has memory used again whose bytes the transport has copied. Only our own stream says so. */
  #takeBack(): void {
    const { stream } = this.#modules
    if (!(stream instanceof QuicStream)) {
      this.#sent.length = 0
      return
    }
    const writtenBytes = this.#sentBytes - stream.unwrittenBytes
    while (this.#sent.length > 0 && this.#sent[0]!.endBytes <= writtenBytes)
      this.#buffers.give(this.#sent.shift()!.memory)
  }

  /** Runs something that depends on the peer, under a time limit that `tick` keeps. */
  async #await<T>(limitMs: number, what: string, run: () => Promise<T>): Promise<T> {
    const outer = this.#waiting
    this.#waiting = { limitMs, what, sinceMs: this.#modules.clock.monotonicMs() }
    try {
      return await run()
    } finally {
      this.#waiting = outer
    }
  }
}

/** A block that is not as long as its tree says was forged by the publisher: sent, it would look like our lie. */
function checkLengths(blocks: readonly StoredBlock[], named: readonly ResolvedBlock[]): void {
  blocks.forEach(({ rawLengthBytes }, i) => {
    const stated = named[i]!.rawLengthBytes
    if (stated !== undefined && rawLengthBytes !== stated)
      throw new CatalogError('CONTENT_INVALID', 'a block of this release is not as long as its tree says')
  })
}

function tooMany(): CatalogError {
  return new CatalogError('BUSY', `at most ${MAX_PIPELINED} requests at once`, {
    details: { retryAfterMs: BUSY_RETRY_MS }
  })
}

function decodeCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'the record of an open is not a CID', { cause })
  }
}
