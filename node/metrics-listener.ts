/**
 * Metrics over TCP, for a Prometheus that cannot ask a socket of the file system: with `metrics.listen`, `GET /metrics` and nothing else. Whoever
 * reaches the address may read them, so it is off unless configured, and meant for loopback or a network of its own.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import { CatalogError, type Logger, SECOND_MS } from '../base/index.ts'

/** Prometheus keeps one connection; two of them and a person are still few. */
const MAX_CONNECTIONS = 16
/** For a request, and for reading its answer of some 50 KB. */
const REQUEST_TIMEOUT_MS = 10 * SECOND_MS
const PATH = '/metrics'

/** Serves them until the returned function is called, which does nothing when there is no address. LISTEN_FAILED. */
export async function serveMetrics(
  { registry, logger }: { registry: Registry; logger: Logger },
  { listen }: { listen: string }
): Promise<() => Promise<void>> {
  if (listen === '') return async () => undefined
  const server = metricsServer(registry, logger)
  try {
    server.listen(parseHostPort(listen))
    await once(server, 'listening')
  } catch (error) {
    throw new CatalogError('LISTEN_FAILED', `metrics cannot be served on ${listen}`, {
      cause: error,
      hint: 'free the port or set metrics.listen to another address'
    })
  }
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

function metricsServer(registry: Registry, logger: Logger): Server {
  /** Those who ask at the same time share it. */
  let collecting: Promise<string> | undefined
  const collect = (): Promise<string> => {
    collecting ??= registry.metrics().finally(() => {
      collecting = undefined
    })
    return collecting
  }
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS })
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(REQUEST_TIMEOUT_MS, socket => socket.destroy())
  server.on('request', (request, response) => {
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

/** `127.0.0.1:9464` or `[::1]:9464`, as the pattern of `metrics.listen` lets it through. */
function parseHostPort(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}
