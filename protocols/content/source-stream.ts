import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { type BufferPool, CatalogError, type Clock, timeoutSignal, WireStatus } from '../../base/index.ts'
import { BlockCodec, type IncomingBlock, MAX_NODE_BYTES } from '../../library/index.ts'
import { pull, QuicStream } from '../quic/index.ts'
import type { Priority } from '../throttle/index.ts'
import { type Connections, connectionTo } from '../wire/connection.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { drained, encodeFrame } from '../wire/frame-writer.ts'
import { protocolId } from '../wire/ids.ts'
import { errorOfStatus, fromTransport } from '../wire/status.ts'
import { beginAsking, type StreamSpan } from '../wire/trace.ts'
import { answerMessage, type Block, type Have, openMessage, type Range, rangeMessage } from './frames.ts'
import { ANSWER_MS, MAX_ANSWER_HEADER_BYTES, OPEN_STREAM_MS, SILENT_MS, TICK_MS } from './limits.ts'
import type { PlannedRequest, Want } from './planner.ts'
import { wireOfPriority } from './priority.ts'

export const contentProtocol = (networkId: string): string => protocolId(networkId, 'content', 1)

/** A request and the blocks that came for it, of the right number and lengths; their hashes are not checked yet. */
export interface SourceAnswer<W extends Want> {
  readonly request: PlannedRequest<W>
  /** In the order of `request.wants`. All `bytes` lie in `buffer`. */
  readonly blocks: IncomingBlock[]
  /** To be given back to the buffers of the options. */
  readonly buffer: Uint8Array
  /** Bytes of the answer on the wire. */
  readonly wireBytes: number
}

/** What a source says next. */
export type SourceEvent<W extends Want> =
  | { readonly kind: 'blocks'; readonly answer: SourceAnswer<W> }
  /** What it has of the release, told at first and when asked; undefined: everything. */
  | { readonly kind: 'have'; readonly have: Have | undefined }
  /** It does not have what it was asked for; the stream goes on. */
  | { readonly kind: 'lacks'; readonly request: PlannedRequest<W>; readonly reason: CatalogError }

export interface SourceModules {
  readonly libp2p: Connections
  readonly clock: Clock
}

export interface SourceOptions {
  readonly networkId: string
  readonly peerId: PeerId
  readonly record: CID
  readonly buffers: BufferPool
  /** How urgent it is, for the turns that the source gives. */
  readonly priority: Priority
  /** The connection to use; any to the peer, dialled if need be, unless given. */
  readonly connection?: Connection
  readonly signal?: AbortSignal
}

interface Asked<W extends Want> {
  readonly id: number
  /** Undefined: asked what it has. */
  readonly request: PlannedRequest<W> | undefined
}

/**
 * The asking end of one bulk stream: `ask` sends a request, `next` gives what comes in order. How many requests to
 * have in flight is the caller's choice. Everything about an answer that can be checked without hashing is checked: order,
 * number of blocks, lengths. PROTOCOL_VIOLATION, STREAM_TRUNCATED, TIMEOUT, or the peer's status; after any of them
 * but the last the stream is gone.
 */
export class SourceStream<W extends Want> {
  readonly #stream: Stream
  readonly #reader: FrameReader
  readonly #clock: Clock
  readonly #peer: string
  readonly #buffers: BufferPool
  readonly #asked: Asked<W>[] = []
  readonly #watch = new AbortController()
  /** Why the stream was ended here: told instead of the transport's word for it. */
  #failure: CatalogError | undefined
  #lastId = 0
  #heardBytes = 0
  #heardMs = 0
  /** What waits for the peer, each with its beginning: the oldest is first. */
  readonly #waits = new Set<{ readonly sinceMs: number }>()
  readonly #openedMs: number
  readonly #span: StreamSpan
  #roundTripMs: number | undefined

  private constructor(
    stream: Stream,
    { clock }: Pick<SourceModules, 'clock'>,
    peer: string,
    { buffers, span }: Pick<SourceOptions, 'buffers'> & { span: StreamSpan }
  ) {
    this.#span = span
    this.#buffers = buffers
    this.#stream = stream
    this.#clock = clock
    this.#peer = peer
    this.#openedMs = clock.monotonicMs()
    // What a QUIC stream reads is memory of its own; TCP's may be a part of something.
    this.#reader = new FrameReader(pull(stream), { freesPieces: stream instanceof QuicStream })
    void this.#watchTime()
  }

  /** Opens a stream to a peer, dialling if need be, and says which release it is about. Does not wait for the answer. */
  static async open<W extends Want>(
    modules: SourceModules,
    options: SourceOptions
  ): Promise<SourceStream<W>> {
    const { networkId, peerId, record } = options
    const peer = peerId.toString()
    const signals = [timeoutSignal(OPEN_STREAM_MS), ...(options.signal === undefined ? [] : [options.signal])]
    const signal = AbortSignal.any(signals)
    const span = beginAsking('content', peer)
    try {
      const connection = options.connection ?? (await connectionTo(modules.libp2p, peerId, { signal }))
      const stream = await connection.newStream(contentProtocol(networkId), {
        signal,
        runOnLimitedConnection: true
      })
      stream.send(
        encodeFrame(
          [],
          openMessage.encode({
            record: record.bytes,
            codecs: [...READ_CODECS],
            priority: wireOfPriority(options.priority),
            traceparent: span.traceparent
          })
        )
      )
      return new SourceStream<W>(stream, modules, peer, { buffers: options.buffers, span })
    } catch (error) {
      span.end(error)
      options.signal?.throwIfAborted()
      throw fromTransport(error, peer)
    }
  }

  /** Requests whose answers have not been returned by `next`. */
  get inFlight(): number {
    return this.#asked.length
  }

  /** Of answers, whole or not. */
  get receivedBytes(): number {
    return this.#reader.receivedBytes
  }

  /** From sending the open to its answer; undefined before that was read. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Sends a request, one at a time; `next` may be waiting meanwhile. */
  async ask(request: PlannedRequest<W>): Promise<void> {
    await this.#ask(request, { runs: request.runs })
  }

  /** Asks what the source has by now. */
  async askHave(): Promise<void> {
    await this.#ask(undefined, { have: true })
  }

  /** What the source says of the release at first, then the answer to the oldest request. */
  async next(): Promise<SourceEvent<W>> {
    return await this.#timed(async () => {
      if (this.#roundTripMs === undefined) return await this.#readOpened()
      return await this.#readAnswer()
    })
  }

  /** Nothing more is asked. With requests in flight the stream is reset, else closed. Never throws. */
  close(): void {
    if (this.#watch.signal.aborted) return
    this.#watch.abort()
    if (this.#asked.length > 0 || this.#failure !== undefined) {
      this.abort(new CatalogError('ABORTED', 'the answers are no longer wanted'))
      return
    }
    this.#span.end()
    this.#stream.close().catch(error => this.#stream.abort(error))
    void this.#drain()
  }

  /** Ends the stream at once; `next` then throws `error`. */
  abort(error: CatalogError): void {
    this.#failure ??= error
    // That answers are wanted no more is how most streams end, and no failure of the source.
    this.#span.end(error.code === 'ABORTED' ? undefined : error)
    this.#watch.abort()
    this.#stream.abort(error)
  }

  async #ask(request: PlannedRequest<W> | undefined, fields: Partial<Range>): Promise<void> {
    await this.#timed(async () => {
      await drained(this.#stream)
      this.#lastId++
      this.#asked.push({ id: this.#lastId, request })
      this.#stream.send(encodeFrame([], rangeMessage.encode({ id: this.#lastId, ...fields })))
    })
  }

  /** Reads the peer's end of the stream after ours: a pull is never left before its end. */
  async #drain(): Promise<void> {
    const timer = setTimeout(
      () => this.#stream.abort(new Error('the peer did not end the stream')),
      SILENT_MS
    )
    timer.unref()
    try {
      if ((await this.#reader.varint()) !== undefined) this.#stream.abort(new Error('bytes nobody asked for'))
    } catch {
      // The stream was reset instead of ended: there is nothing left in it that matters.
    } finally {
      clearTimeout(timer)
    }
  }

  async #readOpened(): Promise<SourceEvent<W>> {
    const answer = await this.#readHeader()
    if (answer.id !== 0) throw violation('the first answer is not that to the open')
    if (answer.status !== WireStatus.Ok) throw errorOfStatus(answer, this.#peer)
    this.#roundTripMs = this.#clock.monotonicMs() - this.#openedMs
    return { kind: 'have', have: answer.have }
  }

  async #readAnswer(): Promise<SourceEvent<W>> {
    const before = this.#reader.takenBytes
    const asked = this.#asked[0]
    if (asked === undefined) throw new CatalogError('INTERNAL', 'an answer is awaited and nothing was asked')
    const header = await this.#readHeader()
    if (header.id !== asked.id) throw violation(`answer ${header.id} instead of ${asked.id}`)
    if (header.status !== WireStatus.Ok) {
      this.#asked.shift()
      const reason = errorOfStatus(header, this.#peer)
      if (reason.code === 'NOT_FOUND' && asked.request !== undefined)
        return { kind: 'lacks', request: asked.request, reason }
      throw reason.code === 'PROTOCOL_VIOLATION' ? reason : new RefusedRequest(reason)
    }
    if (asked.request === undefined) {
      if (header.blocks.length > 0) throw violation('blocks when asked what it has')
      this.#asked.shift()
      return { kind: 'have', have: header.have }
    }
    if (header.have !== undefined) throw violation('a map when asked for blocks')
    const { wants } = asked.request
    checkBlocks(header.blocks, wants)
    const sizeBytes = header.blocks.reduce((sum, { storedLength }) => sum + storedLength, 0)
    const buffer = this.#buffers.take(sizeBytes)
    await this.#reader.into(buffer.subarray(0, sizeBytes))
    this.#asked.shift()
    const blocks = cut(buffer, header.blocks, wants)
    const wireBytes = this.#reader.takenBytes - before
    return { kind: 'blocks', answer: { request: asked.request, blocks, buffer, wireBytes } }
  }

  async #readHeader(): Promise<ReturnType<typeof answerMessage.decode>> {
    const frame = await this.#reader.frame('content answer', MAX_ANSWER_HEADER_BYTES)
    if (frame === undefined)
      throw new CatalogError('STREAM_TRUNCATED', `${this.#peer} ended the stream before all answers had come`)
    return answerMessage.decode(frame)
  }

  /** Runs what waits for the peer, under the time limits; any failure but a refused request ends the stream. */
  async #timed<T>(run: () => Promise<T>): Promise<T> {
    const wait = { sinceMs: this.#clock.monotonicMs() }
    if (this.#waits.size === 0) this.#heardMs = wait.sinceMs
    this.#waits.add(wait)
    try {
      return await run()
    } catch (error) {
      throw error instanceof RefusedRequest ? error.reason : this.#fail(error)
    } finally {
      this.#waits.delete(wait)
    }
  }

  /** Ends the stream for the first failure, and gives that. */
  #fail(error: unknown): CatalogError {
    const failure = this.#failure ?? fromTransport(error, this.#peer)
    this.abort(failure)
    return failure
  }

  async #watchTime(): Promise<void> {
    for (;;) {
      try {
        await this.#clock.wait(TICK_MS, this.#watch.signal)
      } catch {
        return // closed
      }
      const nowMs = this.#clock.monotonicMs()
      if (this.#reader.receivedBytes !== this.#heardBytes) {
        this.#heardBytes = this.#reader.receivedBytes
        this.#heardMs = nowMs
      }
      const [oldest] = this.#waits
      if (oldest === undefined) continue
      if (nowMs - this.#heardMs >= SILENT_MS || nowMs - oldest.sinceMs >= ANSWER_MS)
        this.abort(new CatalogError('TIMEOUT', `${this.#peer} does not send what was asked for`))
    }
  }
}

/** Codecs of blocks that are read here beside raw. */
const READ_CODECS: readonly number[] = [BlockCodec.Zstd]

/** Carries a status of the peer for one request: the stream goes on. */
class RefusedRequest extends Error {
  readonly reason: CatalogError

  constructor(reason: CatalogError) {
    super(reason.message)
    this.reason = reason
  }
}

/** Throws PROTOCOL_VIOLATION unless the header announces exactly the blocks that were asked for. */
function checkBlocks(blocks: readonly Block[], wants: readonly Want[]): void {
  if (blocks.length !== wants.length) throw violation(`${blocks.length} blocks instead of ${wants.length}`)
  for (const { codec } of blocks)
    if (codec !== BlockCodec.Raw && !READ_CODECS.includes(codec))
      throw new CatalogError(
        'UNSUPPORTED',
        `a source answered with blocks in codec ${codec}, which is not read here`
      )
  blocks.forEach(({ rawLength }, i) => {
    const { rawLengthBytes } = wants[i]!
    if (rawLengthBytes === undefined ? rawLength > MAX_NODE_BYTES : rawLength !== rawLengthBytes)
      throw violation(`a block of ${rawLength} bytes where ${rawLengthBytes ?? 'a tree node'} was asked for`)
  })
}

function cut(bytes: Uint8Array, blocks: readonly Block[], wants: readonly Want[]): IncomingBlock[] {
  let offset = 0
  return blocks.map(({ codec, storedLength, rawLength }, i) => {
    const start = offset
    offset += storedLength
    return {
      id: wants[i]!.id,
      codec: codec === 0 ? BlockCodec.Raw : BlockCodec.Zstd,
      rawLengthBytes: rawLength,
      bytes: bytes.subarray(start, offset)
    }
  })
}

function violation(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `a source answered with ${what}`)
}
