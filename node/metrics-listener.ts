/**
 * Metrics over TCP, for a Prometheus that cannot ask a socket of the file system: with `metrics.listen`, `GET /metrics` and nothing else. Whoever
 * reaches the address may read them, so it is off unless configured, and meant for loopback or a network of its own. It is bounded for a hostile one
 * all the same: few connections, of a few seconds and one request each, and no more work than one collection a second.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import { CatalogError, type Clock, KIB, type Logger, SECOND_MS } from '../base/index.ts'

/** Prometheus needs one at a time; two of them and a person are still few. */
const MAX_CONNECTIONS = 16
/** For a whole connection, however it is spent: a request, and reading its answer of some 50 KB. */
export const CONNECTION_MS = 10 * SECOND_MS
/** Of a request; that of Prometheus has some 300 bytes. */
const MAX_HEAD_BYTES = 4 * KIB
/** Metrics are collected anew at most so often, which takes milliseconds of the event loop; who asks sooner gets those that there are. */
export const COLLECT_EVERY_MS = SECOND_MS
const PATH = '/metrics'

interface ListenerModules {
  registry: Registry
  clock: Pick<Clock, 'monotonicMs' | 'wait'>
  logger: Logger
}

/** Serves them until the returned function is called, which does nothing when there is no address. LISTEN_FAILED. */
export async function serveMetrics(
  modules: ListenerModules,
  { listen }: { listen: string }
): Promise<() => Promise<void>> {
  if (listen === '') return async () => undefined
  const { logger } = modules
  const server = metricsServer(modules)
  try {
    server.listen(parseHostPort(listen))
    await once(server, 'listening')
  } catch (error) {
    throw new CatalogError('LISTEN_FAILED', `metrics cannot be served on ${listen}`, {
      cause: error,
      hint: 'free the port or set metrics.listen to another address'
    })
  }
  // Such as a connection that could not be accepted for want of file handles: the next one may be.
  server.on('error', err => logger.warn({ err }, 'a connection for metrics was lost'))
  const address = server.address()
  logger.info(
    {
      address: typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : listen
    },
    'metrics are served'
  )
  return async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}

function metricsServer({ registry, clock, logger }: ListenerModules): Server {
  const collect = collector(registry, clock)
  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES })
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', socket => {
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    clock.wait(CONNECTION_MS, gone.signal).then(
      () => socket.destroy(),
      () => undefined
    )
  })
  server.on('request', (request, response) => {
    // No second request, and no body: whatever else comes is not read.
    response.setHeader('connection', 'close')
    if (request.url !== PATH) return void response.writeHead(404).end()
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
    collect().then(
      text => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      error => {
        logger.error({ err: error }, 'metrics could not be collected')
        response.writeHead(500).end()
      }
    )
  })
  return server
}

/** Collects, or gives what is being collected or was a moment ago. */
function collector(registry: Registry, clock: Pick<Clock, 'monotonicMs'>): () => Promise<string> {
  let collected: Promise<string> | undefined
  let endedMs = Number.NEGATIVE_INFINITY
  return () => {
    if (collected === undefined || clock.monotonicMs() - endedMs >= COLLECT_EVERY_MS) {
      // Not before it has ended.
      endedMs = Number.POSITIVE_INFINITY
      collected = registry.metrics().finally(() => {
        endedMs = clock.monotonicMs()
      })
    }
    return collected
  }
}

/** `127.0.0.1:9464` or `[::1]:9464`, as the pattern of `metrics.listen` lets it through. */
function parseHostPort(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}
