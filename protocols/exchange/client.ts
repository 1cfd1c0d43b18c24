import type { AbortOptions, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CatalogError, SECOND_MS, timeoutSignal, WireStatus } from '../../base/index.ts'
import { pull } from '../quic/index.ts'
import { openConnection } from '../wire/connection.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import { protocolId } from '../wire/ids.ts'
import { errorOfStatus, fromTransport, type StatusFields } from '../wire/status.ts'
import { activeTraceparent, asking } from '../wire/trace.ts'
import type { ExchangeType, TracedRequest } from './types.ts'

/** A peer that does not take the end of a stream by then has it reset. */
const CLOSE_MS = 2 * SECOND_MS

/** Whom to ask. With addresses a peer can be dialled that libp2p does not know yet. */
export interface ExchangeTarget {
  readonly peerId: PeerId
  readonly addresses: readonly Multiaddr[]
}

/** The asking end of a short stream: one request after the other, each answered before the next is sent. */
export class ExchangeClient<Q extends TracedRequest, A extends StatusFields> {
  readonly #type: ExchangeType<Q, A>
  readonly #stream: Stream
  readonly #reader: FrameReader
  readonly #peer: string

  private constructor(type: ExchangeType<Q, A>, stream: Stream, peer: string, signal: AbortSignal) {
    this.#type = type
    this.#stream = stream
    this.#peer = peer
    this.#reader = new FrameReader(pull(stream, { signal }))
  }

  /**
   * Opens a stream, over a connection that is there or a new one. `signal` bounds the whole exchange. Throws DIAL_FAILED,
   * UNSUPPORTED when the peer does not speak the protocol, TIMEOUT, ABORTED.
   */
  static async open<Q extends TracedRequest, A extends StatusFields>(
    libp2p: Libp2p,
    type: ExchangeType<Q, A>,
    networkId: string,
    target: ExchangeTarget,
    signal: AbortSignal
  ): Promise<ExchangeClient<Q, A>> {
    const peer = target.peerId.toString()
    try {
      const stream = await openStream(libp2p, protocolId(networkId, type.name, type.version), target, {
        signal
      })
      return new ExchangeClient(type, stream, peer, signal)
    } catch (error) {
      throw fromTransport(signal.aborted ? signal.reason : error, peer)
    }
  }

  /** One request and its answer. A status other than Ok is thrown as its error (`errorOfStatus`). */
  async ask(request: Partial<Q>): Promise<A> {
    return await asking(this.#type.name, this.#peer, () => this.#ask(request))
  }

  async #ask(request: Partial<Q>): Promise<A> {
    const type = this.#type
    try {
      this.#stream.send(
        encodeFrame([], type.request.encode({ ...request, traceparent: activeTraceparent() }))
      )
      const frame = await this.#reader.frame(type.response.name, type.response.maxBytes)
      if (frame === undefined)
        throw new CatalogError('STREAM_TRUNCATED', `${this.#peer} ended the stream without an answer`)
      const answer = type.response.decode(frame)
      if (answer.status !== WireStatus.Ok) throw errorOfStatus(answer, this.#peer)
      return answer
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
      throw fromTransport(error, this.#peer)
    }
  }

  /** Says that nothing more is asked. Never throws: a stream that cannot be closed is reset. */
  close(): void {
    this.#stream.close({ signal: timeoutSignal(CLOSE_MS) }).catch((error: Error) => this.#stream.abort(error))
    void this.#reader.close()
  }
}

/** A connection that is open is used; else the given addresses are dialled; else what libp2p knows of the peer. */
async function openStream(
  libp2p: Libp2p,
  protocol: string,
  { peerId, addresses }: ExchangeTarget,
  options: AbortOptions
): Promise<Stream> {
  const dialable = addresses.map(address => withPeer(address, peerId))
  const connection =
    openConnection(libp2p, peerId) ?? (await libp2p.dial(dialable.length === 0 ? peerId : dialable, options))
  return await connection.newStream(protocol, { ...options, runOnLimitedConnection: true })
}

/** An address that names its peer, so that nobody else can answer at it. One of a relay names the relay before. */
const withPeer = (address: Multiaddr, peerId: PeerId): Multiaddr =>
  address.getComponents().at(-1)?.name === 'p2p' ? address : address.encapsulate(`/p2p/${peerId}`)
