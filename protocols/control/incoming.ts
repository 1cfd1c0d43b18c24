import type { PeerId } from '@libp2p/interface'
import { CatalogError, type Clock, WireStatus } from '../../base/index.ts'
import type { RequestType } from '../wire/message.ts'
import { statusOf } from '../wire/status.ts'
import { serving } from '../wire/trace.ts'
import { cancelMessage, FrameKind, requestMessage, responseMessage } from './frames.ts'
import {
  BUSY_RETRY_MS,
  MAX_BUSY_PER_S,
  MAX_BUSY_QUEUED,
  MAX_IN_FLIGHT,
  MAX_WAITING_BYTES,
  SLOW_READER_MS
} from './limits.ts'
import type { SendFrame } from './outgoing.ts'

/** What a handler learns beside the message. */
export interface HandlerContext {
  readonly peerId: PeerId
  /** Aborts when the peer cancelled or left, or the time-out of the type has passed. */
  readonly signal: AbortSignal
}

export type Handler<Q, A> = (message: Q, context: HandlerContext) => Promise<Partial<A>> | Partial<A>

/** A handler with its declaration, messages of all types in one table. */
export interface HandlerEntry {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly type: RequestType<any, any>
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly handler: Handler<any, any>
}

/** Told of every request that was answered: for metrics. */
export type OnServed = (name: string, status: WireStatus | number) => void

interface Work {
  readonly abort: AbortController
  readonly deadlineMs: number
}

export interface IncomingModules {
  readonly peerId: PeerId
  readonly clock: Clock
  readonly handlers: ReadonlyMap<number, HandlerEntry>
  readonly send: SendFrame
  /** Resolves when the stream takes more. */
  readonly drained: (signal: AbortSignal) => Promise<void>
  readonly needsDrain: () => boolean
  readonly onServed: OnServed
  /** Something that never fails did. */
  readonly onError: (error: unknown) => void
}

/**
 * A peer's requests on one control stream. Each holds a place until its answer was taken by the stream, so a peer that
 * asks and does not read stops itself, and is cut when it goes on with that. A request beyond the places is answered BUSY at once; whoever goes on then is
 * cut off by an exception.
 */
export class Incoming {
  readonly #modules: IncomingModules
  readonly #works = new Map<number, Work>()
  /** Answers that wait for the peer to read, and since when it has taken none of them. */
  #waitingBytes = 0
  #stalledSinceMs: number | undefined
  #busyQueued = 0
  #busyThisSecond = 0
  #secondStartMs = 0

  constructor(modules: IncomingModules) {
    this.#modules = modules
  }

  get size(): number {
    return this.#works.size
  }

  /** Takes a request frame. Returns false for a method unknown here (answered UNSUPPORTED). */
  onRequest(method: number, body: Uint8Array): boolean {
    const { id, payload, traceparent } = requestMessage.decode(body)
    if (this.#works.has(id))
      throw new CatalogError('PROTOCOL_VIOLATION', `request ${id} came twice`, { details: { id } })
    if (this.#works.size >= MAX_IN_FLIGHT) {
      this.#refuse(method, id)
      return true
    }
    const entry = this.#modules.handlers.get(method)
    const message = entry?.type.request.decode(payload)
    const deadlineMs = this.#modules.clock.monotonicMs() + (entry?.type.timeoutMs ?? 0)
    const work: Work = { abort: new AbortController(), deadlineMs }
    this.#works.set(id, work)
    this.#answer(method, id, work, entry, message, traceparent).catch(this.#modules.onError)
    return entry !== undefined
  }

  /** Stops work on a request; it is answered all the same. Returns false when there is no such work (any more). */
  onCancel(body: Uint8Array): boolean {
    const { id } = cancelMessage.decode(body)
    const work = this.#works.get(id)
    work?.abort.abort(new CatalogError('ABORTED', 'the peer cancelled the request'))
    return work !== undefined
  }

  /** Ends work that takes too long; throws TIMEOUT when the peer does not read its answers. */
  tick(nowMs: number): void {
    if (this.#stalledSinceMs !== undefined && nowMs - this.#stalledSinceMs >= SLOW_READER_MS)
      throw new CatalogError('TIMEOUT', `${this.#modules.peerId} takes no answers`)
    for (const { abort, deadlineMs } of this.#works.values())
      if (nowMs >= deadlineMs) abort.abort(new CatalogError('TIMEOUT', 'the time for this request is over'))
  }

  failAll(error: unknown): void {
    for (const { abort } of this.#works.values()) abort.abort(error)
    this.#works.clear()
  }

  async #answer(
    method: number,
    id: number,
    work: Work,
    entry: HandlerEntry | undefined,
    message: unknown,
    traceparent: string
  ): Promise<void> {
    const response = await this.#respond(id, work, entry, message, traceparent)
    if (this.#works.get(id) !== work) return // the stream ended meanwhile
    try {
      if (!this.#modules.needsDrain()) this.#modules.send(FrameKind.Response, method, response)
      else await this.#sendDrained(method, this.#withinBudget(id, response))
    } catch {
      return // the stream ended while the answer waited: there is nobody to tell
    } finally {
      this.#works.delete(id)
    }
  }

  /** An answer that finds too many waiting before it is made again from nothing: the peer is told to ask later. */
  #withinBudget(id: number, response: Uint8Array): Uint8Array {
    if (this.#waitingBytes + response.byteLength <= MAX_WAITING_BYTES) return response
    return responseMessage.encode({ id, ...statusOf(busy('answers wait to be read')) })
  }

  async #sendDrained(method: number, response: Uint8Array): Promise<void> {
    this.#waitingBytes += response.byteLength
    this.#stalledSinceMs ??= this.#modules.clock.monotonicMs()
    try {
      await this.#modules.drained(NEVER)
      this.#modules.send(FrameKind.Response, method, response)
    } finally {
      this.#waitingBytes -= response.byteLength
      this.#stalledSinceMs = this.#waitingBytes === 0 ? undefined : this.#modules.clock.monotonicMs()
    }
  }

  async #respond(
    id: number,
    work: Work,
    entry: HandlerEntry | undefined,
    message: unknown,
    traceparent: string
  ): Promise<Uint8Array> {
    const { onServed } = this.#modules
    try {
      if (entry === undefined) throw new CatalogError('UNSUPPORTED', 'this method is not known here')
      const answer = await this.#handle(entry, message, work.abort.signal, traceparent)
      const payload = entry.type.response.encode(answer)
      onServed(entry.type.name, WireStatus.Ok)
      return responseMessage.encode({ id, payload })
    } catch (error) {
      const status = statusOf(error)
      onServed(entry?.type.name ?? 'unknown', status.status)
      if (status.status === WireStatus.Internal && !work.abort.signal.aborted) this.#modules.onError(error)
      return responseMessage.encode({ id, ...status })
    }
  }

  #handle(entry: HandlerEntry, message: unknown, signal: AbortSignal, traceparent: string): Promise<object> {
    const { peerId } = this.#modules
    return serving(entry.type.name, peerId.toString(), traceparent, async () =>
      entry.handler(message, { peerId, signal })
    )
  }

  /** Answers BUSY without taking a place; throws when the peer floods. */
  #refuse(method: number, id: number): void {
    const nowMs = this.#modules.clock.monotonicMs()
    if (nowMs - this.#secondStartMs >= 1000) {
      this.#secondStartMs = nowMs
      this.#busyThisSecond = 0
    }
    if (!this.#modules.needsDrain()) this.#busyQueued = 0
    if (++this.#busyQueued > MAX_BUSY_QUEUED || ++this.#busyThisSecond > MAX_BUSY_PER_S)
      throw new CatalogError('PROTOCOL_VIOLATION', 'a flood of requests beyond the limit')
    this.#modules.onServed('busy', WireStatus.Busy)
    this.#modules.send(
      FrameKind.Response,
      method,
      responseMessage.encode({ id, ...statusOf(busy(`at most ${MAX_IN_FLIGHT} requests at once`)) })
    )
  }
}

function busy(what: string): CatalogError {
  return new CatalogError('BUSY', what, { details: { retryAfterMs: BUSY_RETRY_MS } })
}

/** Waiting for a stream ends when the stream does. */
const NEVER = new AbortController().signal
