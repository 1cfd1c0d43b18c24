/**
 * The admin API's socket: HTTP/1.1 over a unix socket of the home, open from the start. What answers (app.ts, and the
 * routes with their schemas) is loaded for the first request: a sixth of a start, and 4 MB in a node that nobody asks.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { CatalogError, checkSocketPath, type ErrorCode, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import { requestIdFrom } from '../request-context.ts'
import type { AdminModules } from './app.ts'
import type { Route } from './route.ts'
import { clearStaleSocket, closeToOthers } from './socket.ts'
import type { Streams } from './streams.ts'

/** Between two requests of a client that keeps its connection. */
const KEEP_ALIVE_TIMEOUT_MS = MINUTE_MS
/** Programs of one user on this machine; each connection is a file descriptor and some 10 KB. */
const MAX_CONNECTIONS = 512
const HEADERS_TIMEOUT_MS = 10 * SECOND_MS

export interface ServerModules extends Omit<AdminModules, 'routes'> {
  /** Asked once, for the first request. */
  routes(): Promise<readonly Route[]>
  /** Long responses that a close has to end. */
  streams: Streams
}

export interface AdminServer {
  readonly socketPath: string
  /** Takes no new requests, ends the streams, waits for the answers under way; when `signal` fires, cuts the rest. */
  close(signal: AbortSignal): Promise<void>
}

type Refusal = readonly [status: number, code: ErrorCode, message: string]
/** By the code that node:http has for what is no request, with the status that HTTP has for it. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: [431, 'LIMIT_EXCEEDED', 'the head of the request is too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'TIMEOUT', 'the head of the request did not come in time']
}
const NO_HTTP: Refusal = [400, 'INVALID_ARGUMENT', 'this is no request of HTTP/1.1']

/** Answers as every error is answered, and closes; of a client that has gone nothing is left to do. */
function answerNoRequest({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  if (code === 'ECONNRESET' || socket.destroyed) return
  const [status, ownCode, message] = REFUSALS[code] ?? NO_HTTP
  const requestId = requestIdFrom(undefined)
  const body = JSON.stringify({ error: { ...new CatalogError(ownCode, message).toJSON(), requestId } })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close'
  ]
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroy()
}

/** Serves `routes` on `socketPath`. SOCKET_PATH_TOO_LONG, SOCKET_IN_USE. */
export async function serveAdmin(
  modules: ServerModules,
  options: { socketPath: string }
): Promise<AdminServer> {
  const { socketPath } = options
  checkSocketPath(socketPath)
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Long-polls and streams have their own limits; a slow tar upload is no attack on a socket of one's own.
    requestTimeout: 0
  })
  server.maxConnections = MAX_CONNECTIONS
  const app = new LateApp(modules, server)
  server.on('request', (request, response) => app.answer(request, response))
  server.on('clientError', answerNoRequest)
  await clearStaleSocket(socketPath)
  server.listen({ path: socketPath })
  await once(server, 'listening')
  await closeToOthers(socketPath)
  return {
    socketPath,
    async close(signal) {
      const cut = (): void => server.closeAllConnections()
      if (signal.aborted) cut()
      signal.addEventListener('abort', cut, { once: true })
      modules.streams.endAll()
      const closed = once(server, 'close')
      // The app first: from here on it refuses what comes over connections that are open.
      const appClosed = app.close()
      server.close()
      await Promise.all([closed, appClosed])
      signal.removeEventListener('abort', cut)
    }
  }
}

/** Answers requests; is loaded by the first. */
class LateApp {
  readonly #modules: ServerModules
  readonly #server: Server
  #loading: Promise<FastifyInstance> | undefined
  #app: FastifyInstance | undefined

  constructor(modules: ServerModules, server: Server) {
    this.#modules = modules
    this.#server = server
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#app === undefined) this.#answerLate(request, response)
    else this.#app.routing(request, response)
  }

  #answerLate(request: IncomingMessage, response: ServerResponse): void {
    this.#loading ??= this.#load()
    this.#loading.then(
      app => app.routing(request, response),
      error => {
        this.#modules.logger.error({ err: error }, 'the admin API cannot answer')
        response.destroy()
      }
    )
  }

  async close(): Promise<void> {
    // One that could not be loaded has nothing to close, and was told of.
    const app = await this.#loading?.catch(() => undefined)
    await app?.close()
  }

  async #load(): Promise<FastifyInstance> {
    const [{ buildApp }, routes] = await Promise.all([import('./app.ts'), this.#modules.routes()])
    const app = buildApp({ ...this.#modules, routes }, this.#server)
    await app.ready()
    this.#app = app
    return app
  }
}
