import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CatalogError } from '../../../base/index.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import type { Handler } from '../../../protocols/control/incoming.ts'
import type { Control, RequestType } from '../../../protocols/index.ts'
import { errorOfStatus, statusOf } from '../../../protocols/wire/status.ts'
import type { SigningKey } from '../../../trust/index.ts'

/** Requests between nodes in memory: messages are encoded and errors cross as statuses, as on the control stream. */
export class ControlNet {
  // biome-ignore lint/suspicious/noExplicitAny: handlers of all types stand in one table
  readonly #handlers = new Map<string, Map<number, Handler<any, any>>>()
  /** Nodes that are there, by peer id. */
  readonly #ids = new Map<string, PeerId>()
  /** Bytes of payloads, both ways. */
  bytes = 0
  readonly asked: string[] = []
  /** Nodes that nobody reaches. */
  readonly away = new Set<string>()

  join(key: SigningKey): {
    control: Pick<Control, 'request' | 'handle'>
    peerId: PeerId
    connected(): PeerId[]
  } {
    const peerId = peerIdFromString(peerOf(key.publicKey))
    const own = peerId.toString()
    this.#ids.set(own, peerId)
    this.#handlers.set(own, new Map())
    return {
      peerId,
      connected: () =>
        [...this.#ids.values()].filter(other => !other.equals(peerId) && !this.away.has(other.toString())),
      control: {
        handle: (type, handler) => void this.#handlers.get(own)!.set(type.method, handler),
        request: (to, type, message, { signal } = {}) => this.#request(peerId, to, type, message, signal)
      }
    }
  }

  async #request<Q, A>(
    from: PeerId,
    to: PeerId,
    type: RequestType<Q, A>,
    message: Partial<Q>,
    signal?: AbortSignal
  ): Promise<A> {
    signal?.throwIfAborted()
    const handler = this.#handlers.get(to.toString())?.get(type.method)
    if (handler === undefined || this.away.has(to.toString())) throw new CatalogError('DIAL_FAILED', 'away')
    const request = type.request.encode(message)
    this.asked.push(type.name)
    this.bytes += request.byteLength
    try {
      const context = { peerId: from, signal: signal ?? new AbortController().signal }
      const answer = type.response.encode(await handler(type.request.decode(request), context))
      this.bytes += answer.byteLength
      return type.response.decode(answer)
    } catch (error) {
      throw errorOfStatus(statusOf(error), to.toString())
    }
  }
}
