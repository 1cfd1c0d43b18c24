import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  KIB,
  type Logger,
  SECOND_MS,
  Semaphore,
  showQueue,
  timeoutSignal
} from '../../base/index.ts'
import { pull } from '../quic/index.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { drained, encodeFrame } from '../wire/frame-writer.ts'
import { protocolId } from '../wire/ids.ts'
import { fromTransport, type StatusFields, statusOf } from '../wire/status.ts'
import { serving } from '../wire/trace.ts'
import { type PeerRate, PeerRates } from './peer-rates.ts'
import type { ExchangeType, TracedRequest } from './types.ts'

/** Streams of one protocol that one connection may have open: a peer asks a few things at once, not hundreds. */
const MAX_STREAMS_PER_CONNECTION = 16
/** A stream without a whole request for this long is reset, so that idle streams cannot be collected. */
const REQUEST_TIMEOUT_MS = 5 * SECOND_MS
/**
 * And so much longer where it was answered, by the size of the answer: the transport takes half a mebibyte at once, and does not say when
 * the peer has it. A peer that takes none of it has it held in memory for no longer.
 */
const SLOWEST_BYTES_PER_SECOND = 24 * KIB
/** Requests of all peers that are worked on at once, and that wait for it; more are answered BUSY. */
const MAX_ACTIVE = 64
const MAX_WAITING = 512

export interface ExchangeServerModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: MetricsRegistry | undefined
}

/** Whoever asks: proven by the connection, and the address it comes from. */
export type Asker = Pick<Connection, 'remotePeer' | 'remoteAddr'>

export interface ExchangeServerOptions<Q, A> {
  readonly networkId: string
  readonly rate: PeerRate
  /** Requests of one stream; then it is closed. */
  readonly maxRequests: number
  /** Streams that one connection may have open; MAX_STREAMS_PER_CONNECTION unless given. */
  readonly maxStreams?: number
  /** What a request costs of the peer's rate. */
  cost(request: Q): number
  /** Answers a request of an authenticated peer; what it throws is sent as a status. */
  answer(asker: Asker, request: Q, signal: AbortSignal): Promise<Partial<A>>
}

/** Begins to answer; returns how to stop: no new streams, and what is being worked on is aborted. */
export async function serveExchange<Q extends TracedRequest, A extends StatusFields>(
  modules: ExchangeServerModules,
  type: ExchangeType<Q, A>,
  options: ExchangeServerOptions<Q, A>
): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  const rates = new PeerRates(options.rate, modules.clock)
  const places = new Semaphore({
    name: `${type.name} requests`,
    maxActive: MAX_ACTIVE,
    maxWaiting: MAX_WAITING
  })
  showQueue(modules.metrics, places)

  /** The frame that answers one frame. */
  const answerFrame = async (frame: Uint8Array, asker: Asker, signal: AbortSignal): Promise<Uint8Array> => {
    const peer = asker.remotePeer.toString()
    try {
      const request = type.request.decode(frame)
      rates.take(peer, options.cost(request))
      const answer = await serving(type.name, peer, request.traceparent, () =>
        places.run(() => options.answer(asker, request, signal), signal)
      )
      return type.response.encode(answer)
    } catch (error) {
      const status = statusOf(error)
      modules.log.debug({ peer, protocol: type.name, code: status.code }, 'request refused')
      // Every answer of an exchange has the fields of a status; TypeScript cannot see it through the generic.
      return type.response.encode(status as Partial<A>)
    }
  }

  const serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const ended = new AbortController()
    stream.addEventListener('close', () => ended.abort(), { once: true })
    const signal = AbortSignal.any([stopping.signal, ended.signal])
    const reader = new FrameReader(pull(stream, { signal }))
    const within = <T>(limitMs: number, wait: () => Promise<T>): Promise<T> =>
      withDeadline(stream, modules.clock, limitMs, wait)
    let limitMs = REQUEST_TIMEOUT_MS
    for (let served = 0; served < options.maxRequests; served++) {
      const frame = await within(limitMs, () => reader.frame(type.request.name, type.request.maxBytes))
      if (frame === undefined) break
      const answer = encodeFrame([], await answerFrame(frame, connection, signal))
      stream.send(answer)
      limitMs = REQUEST_TIMEOUT_MS + (answer.byteLength / SLOWEST_BYTES_PER_SECOND) * SECOND_MS
      await within(limitMs, () => drained(stream, signal))
    }
    await reader.close()
    await stream.close({ signal: timeoutSignal(REQUEST_TIMEOUT_MS) })
  }

  const protocol = protocolId(options.networkId, type.name, type.version)
  const { maxStreams = MAX_STREAMS_PER_CONNECTION } = options
  await modules.libp2p.handle(
    protocol,
    (stream, connection) => {
      serve(stream, connection).catch((error: unknown) => {
        const peer = connection.remotePeer.toString()
        stream.abort(error instanceof Error ? error : new Error(String(error)))
        modules.log.debug(
          { peer, protocol: type.name, code: fromTransport(error, peer).code },
          'stream ended with an error'
        )
      })
    },
    {
      maxInboundStreams: maxStreams,
      maxOutboundStreams: MAX_STREAMS_PER_CONNECTION * 4,
      runOnLimitedConnection: true
    }
  )
  return async () => {
    stopping.abort()
    await modules.libp2p.unhandle(protocol)
  }
}

/** Resets the stream when what depends on its peer takes longer than it may. */
async function withDeadline<T>(
  stream: Stream,
  clock: Pick<Clock, 'wait'>,
  limitMs: number,
  wait: () => Promise<T>
): Promise<T> {
  const done = new AbortController()
  clock.wait(limitMs, done.signal).then(
    () => stream.abort(new Error(`not over within ${limitMs} ms`)),
    () => undefined
  )
  try {
    return await wait()
  } finally {
    done.abort()
  }
}
