/**
 * Responses that go on: server-sent events and lines of JSON. Each client has a bounded buffer, and one that reads more slowly than
 * things happen is cut off: it reconnects and reads the state anew, which is cheaper than an unbounded queue.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { CatalogError, type Clock, MIB, SECOND_MS } from '../../base/index.ts'
import type { NodeEvent } from '../events.ts'

/** Bytes that may wait for one client. */
const MAX_WAITING_BYTES = MIB
/** Streams at once; a connection each. */
const MAX_STREAMS = 128
/** A comment that keeps the connection known to be alive on both sides. */
const HEARTBEAT_MS = 15 * SECOND_MS

export interface OpenStream {
  /** One server-sent event, the whole of it as its data and `seq` as its id. Cuts the client off when it is too slow. */
  event(event: NodeEvent): void
  /** Text as it is. */
  write(text: string): void
  /** Ends it in good order. */
  end(): void
  /** Called once, however it ends. */
  onEnd(listener: () => void): void
}

export type StreamKind = 'events' | 'ndjson'

const CONTENT_TYPES: Record<StreamKind, string> = {
  events: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson'
}

export class Streams {
  readonly #clock: Clock
  readonly #open = new Set<ServerResponse>()

  constructor(modules: { clock: Clock }) {
    this.#clock = modules.clock
  }

  get size(): number {
    return this.#open.size
  }

  /** Takes the connection over from fastify. BUSY beyond 128 streams. */
  open(reply: FastifyReply, kind: StreamKind, requestId: string): OpenStream {
    if (this.#open.size >= MAX_STREAMS)
      throw new CatalogError('BUSY', `${MAX_STREAMS} streams of events or log lines are open already`)
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': CONTENT_TYPES[kind],
      'cache-control': 'no-store',
      'x-request-id': requestId
    })
    raw.flushHeaders()
    this.#open.add(raw)
    const stop = new AbortController()
    raw.once('close', () => {
      this.#open.delete(raw)
      stop.abort()
    })
    if (kind === 'events') void this.#beat(raw, stop.signal)
    return new ClientStream(raw, stop.signal)
  }

  /** Ends every stream: the daemon stops. */
  endAll(): void {
    for (const raw of this.#open) raw.end()
  }

  async #beat(raw: ServerResponse, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.wait(HEARTBEAT_MS, signal).catch(() => undefined)
      if (!signal.aborted) writeBounded(raw, ': alive\n\n')
    }
  }
}

class ClientStream implements OpenStream {
  readonly #raw: ServerResponse
  readonly #ended: AbortSignal

  constructor(raw: ServerResponse, ended: AbortSignal) {
    this.#raw = raw
    this.#ended = ended
  }

  event(event: NodeEvent): void {
    this.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }

  write(text: string): void {
    writeBounded(this.#raw, text)
  }

  end(): void {
    this.#raw.end()
  }

  onEnd(listener: () => void): void {
    if (this.#ended.aborted) listener()
    else this.#ended.addEventListener('abort', listener, { once: true })
  }
}

function writeBounded(raw: ServerResponse, text: string): void {
  if (raw.writableEnded || raw.destroyed) return
  if (raw.writableLength > MAX_WAITING_BYTES) raw.destroy()
  else raw.write(text)
}
