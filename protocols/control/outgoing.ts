import { CatalogError, type Clock, WireStatus } from '../../base/index.ts'
import type { RequestType } from '../wire/message.ts'
import { errorOfStatus, type StatusFields } from '../wire/status.ts'
import { activeTraceparent } from '../wire/trace.ts'
import { cancelMessage, FrameKind, requestMessage, responseMessage } from './frames.ts'
import { BUSY_RETRY_MS, MAX_IN_FLIGHT, MAX_UNANSWERED } from './limits.ts'

/** A request type whose messages are of no concern. */
// biome-ignore lint/suspicious/noExplicitAny: messages of all types stand in one table
export type AnyRequestType = RequestType<any, any>

/** Queues a frame on the stream; throws when it has ended. */
export type SendFrame = (kind: FrameKind, method: number, body: Uint8Array) => void

interface Pending {
  readonly type: AnyRequestType
  readonly deadlineMs: number
  settle(outcome: { value: unknown } | { error: unknown }): void
}

export interface RequestOptions {
  /** Instead of the type's own time-out. */
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * Our requests on one control stream. A request that was given up (aborted or timed out) keeps its id and its place
 * until the peer has answered it, because the peer still works on it; that answer is then dropped.
 */
export class Outgoing {
  readonly #send: SendFrame
  readonly #clock: Clock
  readonly #peer: string
  readonly #pending = new Map<number, Pending>()
  /** Given up by us, not yet answered by the peer. */
  readonly #unanswered = new Map<number, AnyRequestType>()
  #limit = MAX_IN_FLIGHT
  #lastId = 0

  constructor(send: SendFrame, clock: Clock, peer: string) {
    this.#send = send
    this.#clock = clock
    this.#peer = peer
  }

  /** Requests whose answers somebody waits for. */
  get size(): number {
    return this.#pending.size
  }

  /** The peer's own limit, from its Hello. */
  limitTo(maxInFlight: number): void {
    this.#limit = Math.max(1, Math.min(MAX_IN_FLIGHT, maxInFlight))
  }

  /** Sends a request and resolves to its answer. BUSY when as many as the peer allows are in flight. */
  request<Q, A>(type: RequestType<Q, A>, message: Partial<Q>, options: RequestOptions): Promise<A> {
    const { signal, timeoutMs = type.timeoutMs } = options
    signal?.throwIfAborted()
    const payload = type.request.encode(message)
    if (this.#pending.size + this.#unanswered.size >= this.#limit) throw this.#busy()
    const id = this.#newId()
    return new Promise<A>((resolve, reject) => {
      const onAbort = (): void => this.#giveUp(id, signal?.reason)
      this.#pending.set(id, {
        type,
        deadlineMs: this.#clock.monotonicMs() + timeoutMs,
        settle: outcome => {
          signal?.removeEventListener('abort', onAbort)
          if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.value as A)
        }
      })
      signal?.addEventListener('abort', onAbort)
      try {
        const body = requestMessage.encode({ id, payload, traceparent: activeTraceparent() })
        this.#send(FrameKind.Request, type.method, body)
      } catch (error) {
        this.#settle(id, { error })
      }
    })
  }

  /** The declaration of a method that has an answer to come. */
  typeOf(method: number): AnyRequestType | undefined {
    for (const { type } of this.#pending.values()) if (type.method === method) return type
    for (const type of this.#unanswered.values()) if (type.method === method) return type
    return undefined
  }

  /** Takes an answer. Throws PROTOCOL_VIOLATION for one that nobody asked for. */
  onResponse(method: number, body: Uint8Array): void {
    const response = responseMessage.decode(body)
    const given = this.#unanswered.get(response.id)
    const pending = this.#pending.get(response.id)
    const type = pending?.type ?? given
    if (type === undefined || type.method !== method)
      throw new CatalogError('PROTOCOL_VIOLATION', `an answer to request ${response.id}, which was not asked`)
    this.#unanswered.delete(response.id)
    if (pending === undefined) return
    this.#settle(response.id, this.#outcome(type, response))
  }

  /** Gives up what is past its time; throws TIMEOUT when the peer leaves too much unanswered. */
  tick(nowMs: number): void {
    for (const [id, { type, deadlineMs }] of this.#pending)
      if (nowMs >= deadlineMs)
        this.#giveUp(id, new CatalogError('TIMEOUT', `${this.#peer} did not answer ${type.name} in time`))
    if (this.#unanswered.size > MAX_UNANSWERED)
      throw new CatalogError('TIMEOUT', `${this.#peer} left ${this.#unanswered.size} requests unanswered`)
  }

  /** The stream is over: every waiting request fails with `error`. */
  failAll(error: unknown): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, { error })
    this.#unanswered.clear()
  }

  #outcome(
    type: AnyRequestType,
    response: StatusFields & { payload: Uint8Array }
  ): { value: unknown } | { error: unknown } {
    if (response.status !== WireStatus.Ok) return { error: errorOfStatus(response, this.#peer) }
    // A payload that cannot be decoded throws: it fails the stream, and this request with it.
    return { value: type.response.decode(response.payload) }
  }

  #giveUp(id: number, error: unknown): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#unanswered.set(id, pending.type)
    this.#settle(id, { error })
    try {
      this.#send(FrameKind.Cancel, 0, cancelMessage.encode({ id }))
    } catch {
      // The stream has ended: the request is over on both sides.
    }
  }

  #settle(id: number, outcome: { value: unknown } | { error: unknown }): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.settle(outcome)
  }

  #newId(): number {
    do this.#lastId = this.#lastId >= 0xffffffff ? 1 : this.#lastId + 1
    while (this.#pending.has(this.#lastId) || this.#unanswered.has(this.#lastId))
    return this.#lastId
  }

  #busy(): CatalogError {
    return new CatalogError('BUSY', `${this.#limit} requests to ${this.#peer} are in flight, the limit`, {
      details: { peer: this.#peer, limit: this.#limit, retryAfterMs: BUSY_RETRY_MS }
    })
  }
}
