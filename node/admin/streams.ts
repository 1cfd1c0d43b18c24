/**
 * Responses that go on: server-sent events and lines of JSON. Each client has a bounded buffer, and one that reads more slowly than
 * things happen is cut off: it reconnects and reads the state anew, which is cheaper than an unbounded queue.
 *
 * And bulk bytes, such as contents as tar, bundles and backups, as fast as the client takes them; one that takes none for five minutes is cut off,
 * because what they are read from is held for it. As bytes are on their way before the last one is checked, the end is told in the trailer
 * `x-catalog-status`: `ok` or an error as JSON. A client must not use what it got without that `ok`.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { CatalogError, type Clock, MIB, MINUTE_MS, SECOND_MS, toCatalogError } from '../../base/index.ts'
import type { NodeEvent } from '../events.ts'
import { ANSWERED } from './route.ts'

/** Bytes that may wait for one client. */
const MAX_WAITING_BYTES = MIB
/** Streams at once; a connection each. */
const MAX_STREAMS = 128
/** A comment that keeps the connection known to be alive on both sides. */
const HEARTBEAT_MS = 15 * SECOND_MS
/** In which the client of bulk bytes may take none: a disk that is busy, a program that was stopped for a moment. */
const MAX_STANDSTILL_MS = 5 * MINUTE_MS
const STATUS_TRAILER = 'x-catalog-status'

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

  /**
   * Answers with bulk bytes. An error before the first of them is thrown and becomes an ordinary error response; a later one goes into the
   * trailer.
   */
  async send(
    reply: FastifyReply,
    { requestId, type }: { requestId: string; type: string },
    bytes: AsyncIterable<Uint8Array>
  ): Promise<typeof ANSWERED> {
    const chunks = bytes[Symbol.asyncIterator]()
    let next = await chunks.next()
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': type,
      'x-request-id': requestId,
      trailer: STATUS_TRAILER
    })
    let status = 'ok'
    try {
      for (; next.done !== true; next = await chunks.next()) await this.#writeOut(raw, next.value)
    } catch (error) {
      status = JSON.stringify({ ...toCatalogError(error).toJSON(), requestId })
      await chunks.return?.()
    }
    // A header holds Latin-1: what a message has beyond ASCII goes out escaped, which is still JSON.
    raw.addTrailers({ [STATUS_TRAILER]: asciiJson(status) })
    raw.end()
    return ANSWERED
  }

  async #writeOut(raw: ServerResponse, bytes: Uint8Array): Promise<void> {
    const written = new AbortController()
    this.#clock.wait(MAX_STANDSTILL_MS, written.signal).then(
      () => raw.destroy(),
      () => undefined
    )
    try {
      await writeOut(raw, bytes)
    } finally {
      written.abort()
    }
  }

  /** Ends every stream of events and lines: the daemon stops. */
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

/** Resolves when the bytes are with the system, so that the store may use its buffer again. */
function writeOut(raw: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (raw.destroyed) return reject(new CatalogError('ABORTED', 'the client went away'))
    raw.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

function asciiJson(text: string): string {
  return text.replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
