import { existsSync } from 'node:fs'
import type http from 'node:http'
import path from 'node:path'
import {
  CatalogError,
  checkSocketPath,
  type ErrorJson,
  freeMemory,
  SECOND_MS,
  timeoutSignal,
  toCatalogError
} from '../../base/index.ts'

/**
 * Not imported by name: an `import` of node:http reads all its exports, and its WebSocket loads undici, 14 MB and 25 ms
 * that nothing here uses. The daemon loads this file too, through the command line.
 */
const nodeHttp = process.getBuiltinModule('node:http')

/** An answer that is not a stream is at most this long: a page of the largest lists is far below. */
const RESPONSE_MAX_BYTES = 16 * 1024 * 1024
/** A request that only reads the daemon's state answers within milliseconds; after this it hangs. */
const REQUEST_TIMEOUT_MS = 30 * SECOND_MS

export interface AdminClientOptions {
  socketPath: string
  /** Upper bound of every request's wait for an answer. */
  timeoutMs?: number
}

export interface RequestOptions {
  body?: unknown
  query?: Record<string, string | number | boolean | undefined>
  /** Wait for the answer; default REQUEST_TIMEOUT_MS. */
  timeoutMs?: number
  signal?: AbortSignal
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/**
 * Speaks the admin API (docs/openapi.json) over the Unix socket of one daemon: JSON requests, streams up and down with
 * back-pressure, one kept-alive connection. Every failure is a CatalogError: the daemon's own with its request id, or
 * NO_DAEMON, TIMEOUT, ABORTED, STREAM_TRUNCATED.
 */
export class AdminClient {
  readonly socketPath: string
  readonly #agent = new nodeHttp.Agent({ keepAlive: true, maxSockets: 4 })
  readonly #timeoutMs: number

  constructor(options: AdminClientOptions) {
    this.socketPath = options.socketPath
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS
    checkSocketPath(options.socketPath)
  }

  /** Sends JSON, receives JSON. `Answer` is the shape that docs/openapi.json promises for the path. */
  async request<Answer>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs
    const waiting = timeoutSignal(timeoutMs)
    const signal = options.signal === undefined ? waiting : AbortSignal.any([options.signal, waiting])
    const headers: http.OutgoingHttpHeaders =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const response = await this.#send(method, path + queryString(options.query), headers, signal, request => {
      request.end(body)
    })
    return (await this.#json(response, signal)) as Answer
  }

  /** Sends a stream. A chunk is with the system before the next one is asked for, so its buffer may be used again. */
  async upload<Answer>(
    path: string,
    contentType: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal?: AbortSignal
  ): Promise<Answer> {
    const response = await this.#send('POST', path, { 'content-type': contentType }, signal, request =>
      pump(request, chunks)
    )
    return (await this.#json(response, signal)) as Answer
  }

  /**
   * Receives a stream. It ends normally only when the daemon said at its end, in the trailer `x-catalog-status`, that
   * everything was sent; otherwise it throws what the daemon said, or STREAM_TRUNCATED. A piece is valid until the next is asked for.
   */
  async *download(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const response = await this.#send('GET', path, {}, signal, request => request.end())
    yield* this.#chunks(response, signal)
    const status = response.trailers['x-catalog-status']
    if (status === 'ok') return
    if (status === undefined)
      throw new CatalogError('STREAM_TRUNCATED', `the daemon ended ${path} without saying that it was whole`)
    throw errorFromJson(parseJson(status), response)
  }

  /** Receives text line by line, for as long as the daemon sends: logs as ndjson. */
  async *lines(path: string, options: RequestOptions = {}): AsyncGenerator<string> {
    const response = await this.#send('GET', path + queryString(options.query), {}, options.signal, request =>
      request.end()
    )
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of this.#chunks(response, options.signal)) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > RESPONSE_MAX_BYTES)
        throw new CatalogError('LIMIT_EXCEEDED', 'the daemon sent a line without an end')
      yield* parts
    }
    if (rest !== '') yield rest
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(
    method: Method,
    path: string,
    headers: http.OutgoingHttpHeaders,
    signal: AbortSignal | undefined,
    write: (request: http.ClientRequest) => unknown
  ): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(abortError(signal))
      const request = nodeHttp.request({
        socketPath: this.socketPath,
        agent: this.#agent,
        method,
        path,
        headers,
        signal
      })
      request.on('error', error => reject(this.#failure(error, signal)))
      request.on('response', response => {
        if ((response.statusCode ?? 0) < 400) return resolve(response)
        this.#json(response, signal).then(
          () => reject(new CatalogError('INTERNAL', `${method} ${path} answered ${response.statusCode}`)),
          reject
        )
      })
      Promise.resolve(write(request)).catch((error: unknown) => {
        request.destroy()
        reject(error)
      })
    })
  }

  async *#chunks(response: http.IncomingMessage, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response) {
        yield chunk as Uint8Array
        freeMemory(chunk as Uint8Array)
      }
    } catch (error) {
      if (signal?.aborted === true) throw abortError(signal)
      throw new CatalogError('STREAM_TRUNCATED', 'the daemon broke off its answer', {
        hint: 'see whether it still runs with `catalog status`, and run the command again',
        cause: error
      })
    } finally {
      response.destroy()
    }
  }

  async #json(response: http.IncomingMessage, signal?: AbortSignal): Promise<unknown> {
    const parts: Uint8Array[] = []
    let sizeBytes = 0
    try {
      for await (const chunk of response) {
        sizeBytes += (chunk as Uint8Array).length
        if (sizeBytes > RESPONSE_MAX_BYTES)
          throw new CatalogError(
            'LIMIT_EXCEEDED',
            `the daemon answered with more than ${RESPONSE_MAX_BYTES} bytes`
          )
        parts.push(chunk as Uint8Array)
      }
    } catch (error) {
      throw error instanceof CatalogError ? error : this.#failure(error as Error, signal)
    }
    const text = Buffer.concat(parts).toString('utf8')
    const body = text === '' ? undefined : parseJson(text)
    if ((response.statusCode ?? 0) >= 400) throw errorFromJson((body as { error?: unknown })?.error, response)
    return body
  }

  #failure(error: Error, signal: AbortSignal | undefined): CatalogError {
    if (signal?.aborted === true) return abortError(signal)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') {
      return new CatalogError(
        'HOME_PERMISSIONS',
        `the admin socket ${this.socketPath} belongs to another user`,
        {
          hint: 'run the command as the user who runs the daemon',
          cause: error
        }
      )
    }
    const gone = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK'
    const message = gone
      ? `no daemon answers on ${this.socketPath}`
      : `the daemon on ${this.socketPath} broke off the connection (${code ?? error.message})`
    return new CatalogError('NO_DAEMON', message, {
      cause: error,
      details: { socket: this.socketPath },
      ...(existsSync(path.dirname(this.socketPath))
        ? {}
        : { hint: 'make a home with `catalog init` and start `catalog daemon`, or give the right --home' })
    })
  }
}

/** Writes the chunks in order, each once the one before is with the system. */
async function pump(
  request: http.ClientRequest,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<void> {
  for await (const chunk of chunks) {
    // The daemon may refuse half-way: its answer, or the broken connection, is reported by the request itself.
    if (request.destroyed || request.writableEnded) return
    await written(request, chunk)
  }
  request.end()
}

function written(request: http.ClientRequest, chunk: Uint8Array): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      request.off('close', done).off('response', done)
      resolve()
    }
    request.once('close', done).once('response', done)
    request.write(chunk, done)
  })
}

/** The error a signal was aborted with, or a plain ABORTED or TIMEOUT. */
export function abortError(signal: AbortSignal): CatalogError {
  if (signal.reason instanceof CatalogError) return signal.reason
  const error = toCatalogError(signal.reason)
  return error.code === 'TIMEOUT'
    ? new CatalogError('TIMEOUT', 'the daemon did not answer in time', {
        cause: error,
        details: { limitOf: 'request' }
      })
    : error
}

function queryString(query: RequestOptions['query']): string {
  if (query === undefined) return ''
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, String(value))
  }
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CatalogError('INTERNAL', 'the daemon answered with something that is not JSON', { cause })
  }
}

/** The daemon's error as it was thrown there, with the request id among its details. */
function errorFromJson(body: unknown, response: http.IncomingMessage): CatalogError {
  const error = body as (Partial<ErrorJson> & { requestId?: string }) | undefined
  const requestId = error?.requestId ?? response.headers['x-request-id']
  const details = { ...error?.details, ...(typeof requestId === 'string' ? { requestId } : {}) }
  if (
    error === undefined ||
    error === null ||
    typeof error.code !== 'string' ||
    typeof error.message !== 'string'
  ) {
    return new CatalogError('INTERNAL', `the daemon answered ${response.statusCode} without an error`, {
      details
    })
  }
  return CatalogError.fromJSON({ code: error.code, message: error.message, hint: error.hint ?? '', details })
}
