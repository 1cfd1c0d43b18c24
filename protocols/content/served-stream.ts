import type { PeerId, Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock, toCatalogError } from '../../base/index.ts'
import {
  BlockCodec,
  type ContentStore,
  type Registry,
  type ReleaseRecord,
  type StoredBlock
} from '../../library/index.ts'
import { pull } from '../quic/index.ts'
import { type Budget, lesserPriority, type Priority } from '../throttle/index.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { timeOfNotHere } from '../wire/not-here.ts'
import { statusOf } from '../wire/status.ts'
import { serving } from '../wire/trace.ts'
import type { AnswerMemory, AnswerPlace } from './answer-memory.ts'
import { AnswerSender } from './answer-sender.ts'
import { type Have, type Open, openMessage, type Range, rangeMessage } from './frames.ts'
import {
  BUSY_RETRY_MS,
  IDLE_MS,
  MAX_OPEN_BYTES,
  MAX_PIPELINED,
  MAX_RANGE_MESSAGE_BYTES,
  MAX_REFUSED_QUEUED,
  OPEN_DEADLINE_MS,
  SLOW_READER_MS
} from './limits.ts'
import type { PartialContents } from './partial-contents.ts'
import { Patience } from './patience.ts'
import { describe, frameOf, HEADER_ROOM_BYTES, type Prepared, withBlocks, withoutBlocks } from './prepared.ts'
import { DEFAULT_PRIORITY, priorityOfWire } from './priority.ts'
import type { ContentResolver, ResolvedBlock } from './resolver.ts'
import { ServedPace } from './served-pace.ts'
import type { ServingHolds } from './serving-holds.ts'

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
  /** Shared by all streams. */
  readonly memory: AnswerMemory
  /** Most urgent class that this peer may claim. */
  readonly maxPriority: Priority
  readonly onAnswer: (status: number, bytes: number) => void
  /** Told at the end how fast the peer took what it was sent, where it asked for enough to say. */
  readonly onPace: (bytes: number, tookMs: number) => void
  /** Content of a release was sent, perhaps a part of an answer only: bytes as they went over the wire. */
  readonly onContent: (record: ReleaseRecord, bytes: number, priority: Priority) => void
}

/** A request that waits. One beyond the limit is answered BUSY, in its turn like all others. */
interface Queued {
  readonly range: Range
  readonly isRefused: boolean
}

/**
 * The serving end of one bulk stream. Requests are read into a short queue and answered in their order; while one
 * answer is on its way the next is read from the disk, if there is memory for it. An answer to a limited peer goes out in small pieces that each wait
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
  readonly #patience: Patience
  readonly #sender: AnswerSender
  /** Codecs of blocks that the peer reads. */
  readonly #codecs = new Set<number>([BlockCodec.Raw])
  readonly #pace = new ServedPace()
  #priority: Priority = DEFAULT_PRIORITY
  #isInputOver = false
  /** What the stream is about, once the peer was let in. */
  #record: ReleaseRecord | undefined
  #isIdle = false
  #wakeSender: (() => void) | undefined
  #wakeReader: (() => void) | undefined

  constructor(modules: ServedStreamModules) {
    this.#modules = modules
    const { stream, upload, clock } = modules
    const { signal } = this.#abort
    this.#reader = new FrameReader(pull(stream, { signal }))
    this.#patience = new Patience(clock)
    const peer = modules.peerId.toString()
    this.#sender = new AnswerSender({ stream, peer, upload, patience: this.#patience, clock, signal })
  }

  /** Whether everything that was asked for has been answered, and nothing else has been asked for yet. */
  get isIdle(): boolean {
    return this.#isIdle
  }

  /** Serves until the peer has closed its side and has all answers. Rejects when the stream fails or is cut. */
  async run(): Promise<void> {
    try {
      const open = await this.#readOpen()
      await serving('content', this.#modules.peerId.toString(), open.traceparent, () => this.#serve(open))
    } catch (error) {
      this.cut(error)
      throw this.#abort.signal.reason
    } finally {
      const pace = this.#pace.figures
      if (pace !== undefined) this.#modules.onPace(pace.bytes, pace.tookMs)
    }
  }

  async #serve(open: Open): Promise<void> {
    const record = await this.#letIn(open)
    if (record === undefined) return
    // Nobody who fetches from here loses the rest of it to a collection.
    const done = this.#modules.holds.take(this.#modules.peerId.toString(), record.release)
    try {
      await Promise.all([this.#readRequests(), this.#sendAnswers(record.release.content)])
      // What was handed to the stream may still wait for the peer to read it.
      await this.#patience.wait(SLOW_READER_MS, 'the peer did not take the last answers', () =>
        this.#modules.stream.close({ signal: this.#abort.signal })
      )
    } finally {
      done()
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
      await this.#patience.wait(OPEN_DEADLINE_MS, 'the peer did not take a refusal', async () => {
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
    const overdue = this.#patience.overdue(nowMs)
    if (overdue !== undefined) this.cut(overdue)
  }

  async #readOpen(): Promise<Open> {
    const frame = await this.#patience.wait(OPEN_DEADLINE_MS, 'the peer sent no open', () =>
      this.#reader.frame('content open', MAX_OPEN_BYTES)
    )
    if (frame === undefined) throw new CatalogError('STREAM_TRUNCATED', 'the stream ended before its open')
    return openMessage.decode(frame)
  }

  /** The release the stream is about; undefined when it was refused. */
  async #letIn({ record: id, codecs, priority }: Open): Promise<ReleaseRecord | undefined> {
    for (const codec of codecs) this.#codecs.add(codec)
    this.#priority = lesserPriority(priorityOfWire(priority), this.#modules.maxPriority)
    const { clock } = this.#modules
    const askedMs = clock.monotonicMs()
    let record: ReleaseRecord
    let have: Have | undefined
    try {
      record = await this.#admit(id)
      have = this.#have(record.release.content)
    } catch (error) {
      await timeOfNotHere({ clock, askedMs }, this.#abort.signal)
      await this.refuse(error)
      return undefined
    }
    await this.#send(withoutBlocks({ id: 0, have }))
    return record
  }

  /** Cuts the stream when the peer may not know of its release any more, or nobody can tell. */
  async recheck(): Promise<void> {
    const { mayRead, peerId } = this.#modules
    const record = this.#record
    try {
      if (record === undefined || (await mayRead(peerId, record))) return
      this.cut(new CatalogError('NOT_FOUND', 'this release is not for this peer any more'))
    } catch (error) {
      this.cut(error)
    }
  }

  async #admit(idBytes: Uint8Array): Promise<ReleaseRecord> {
    const { registry, mayRead, peerId } = this.#modules
    const id = decodeCid(idBytes)
    const record = readableRecord(registry, id)
    this.#record = record
    // What a peer may not know of is not here for it.
    if (record === undefined || !(await mayRead(peerId, record)))
      throw new CatalogError('NOT_FOUND', 'this release is not known here')
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
      this.#pace.asked()
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
    let ahead: Promise<Prepared> | undefined
    while (ahead !== undefined || (await this.#requestCame())) {
      const answer: Prepared = await (ahead ?? this.#prepareNext(content))
      answer.place?.isItsTurn()
      ahead = this.#prepareAhead(content)
      await this.#send(answer)
      const { frame, hasBlocks } = answer
      this.#pace.answered(hasBlocks ? frame.byteLength : 0, this.#modules.clock.monotonicMs())
    }
  }

  /** Waits for a request; false when none will come. */
  async #requestCame(): Promise<boolean> {
    while (this.#queue.length === 0) {
      this.#abort.signal.throwIfAborted()
      if (this.#isInputOver) return false
      this.#isIdle = true
      await this.#patience.wait(IDLE_MS, 'the peer asked for nothing', () => {
        return new Promise<void>(resolve => {
          this.#wakeSender = resolve
        })
      })
      this.#isIdle = false
    }
    return true
  }

  /** The answer to the request whose turn it is, of which one is queued. Never rejects. */
  #prepareNext(content: CID): Promise<Prepared> {
    const { range, isRefused } = this.#dequeue()
    return isRefused ? Promise.resolve(refusal(range)) : this.#prepare(content, range, this.#place())
  }

  /** What other streams of the peer hold is their business; what this one holds, the peer has to take first. */
  async #place(): Promise<AnswerPlace> {
    const { memory, peerId } = this.#modules
    const peer = peerId.toString()
    if (memory.isFull(peer)) await this.#sender.whenTaken()
    return await memory.take(peer, this.#abort.signal)
  }

  /** The answer after the one on its way, if it was asked for and there is memory for it now. Never rejects. */
  #prepareAhead(content: CID): Promise<Prepared> | undefined {
    const next = this.#queue[0]
    if (next === undefined) return undefined
    if (next.isRefused) return Promise.resolve(refusal(this.#dequeue().range))
    const place = this.#modules.memory.takeAhead(this.#modules.peerId.toString(), this.#abort.signal)
    return place === undefined ? undefined : this.#prepare(content, this.#dequeue().range, place)
  }

  #dequeue(): Queued {
    const queued = this.#queue.shift()!
    this.#wakeReader?.()
    if (!queued.isRefused) this.#accepted--
    return queued
  }

  async #prepare(
    content: CID,
    { id, runs, have }: Range,
    taken: AnswerPlace | Promise<AnswerPlace>
  ): Promise<Prepared> {
    let place: AnswerPlace | undefined
    try {
      place = await taken
      if (!have) return await this.#readBlocks(content, { id, runs }, place)
      place.free(false)
      return withoutBlocks({ id, have: this.#have(content) })
    } catch (error) {
      // A read that was cut off may still write into its memory.
      place?.free(false)
      return withoutBlocks({ id, ...statusOf(error) })
    }
  }

  async #readBlocks(
    content: CID,
    { id, runs }: Pick<Range, 'id' | 'runs'>,
    place: AnswerPlace
  ): Promise<Prepared> {
    const { resolver, store } = this.#modules
    const { signal } = this.#abort
    const named = await resolver.resolve(content, runs, signal)
    let memory: Uint8Array = new Uint8Array(0)
    const memoryOf = (sizeBytes: number): Uint8Array => {
      memory = place.bufferOf(HEADER_ROOM_BYTES + sizeBytes)
      return memory.subarray(HEADER_ROOM_BYTES)
    }
    const ids = named.map(block => block.id)
    const blocks = await store.readStoredMany(ids, memoryOf, signal)
    checkLengths(blocks, named)
    if (!blocks.every(({ codec }) => this.#codecs.has(codec)))
      throw new CatalogError('UNSUPPORTED', 'a block is stored in a codec that the asker does not read')
    return withBlocks(frameOf({ id, blocks: blocks.map(describe) }, memory), place)
  }

  async #send(answer: Prepared): Promise<void> {
    const { onAnswer, onContent } = this.#modules
    const beforeBytes = this.#sender.sentBytes
    try {
      await this.#sender.send(answer, this.#priority)
    } finally {
      // Also of an answer that is cut off: who ends each stream just before its end has taken it all the same.
      const sentBytes = this.#sender.sentBytes - beforeBytes
      if (answer.hasBlocks && sentBytes > 0) onContent(this.#record!, sentBytes, this.#priority)
    }
    onAnswer(answer.status, answer.frame.byteLength)
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

function refusal({ id }: Range): Prepared {
  const error = new CatalogError('BUSY', `at most ${MAX_PIPELINED} requests at once`, {
    details: { retryAfterMs: BUSY_RETRY_MS }
  })
  return withoutBlocks({ id, ...statusOf(error) })
}

function decodeCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'the record of an open is not a CID', { cause })
  }
}

/** A damaged record is as good as none: a peer that may not know of it must not hear that there is something. The operator hears of it by `verify`. */
function readableRecord(registry: Pick<Registry, 'get'>, id: CID): ReleaseRecord | undefined {
  try {
    return registry.get(id)
  } catch (thrown) {
    if (toCatalogError(thrown).code === 'CONTENT_CORRUPT') return undefined
    throw thrown
  }
}
