/**
 * What answers the admin API, without its socket. Every answer has an `x-request-id`; every error is
 * `{"error": {code, message, hint, details?, requestId}}` with the status of its code.
 */
import type { Server } from 'node:http'
import { type Context, context, SpanKind } from '@opentelemetry/api'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { FastifySchemaControllerOptions } from 'fastify/types/schema.js'
import { CatalogError, KIB, type Logger, SECOND_MS, toCatalogError, withSpan } from '../../base/index.ts'
import { contextOf } from '../../protocols/index.ts'
import { BUNDLE_TYPE } from '../../sync/index.ts'
import type { NodeMetrics } from '../metrics.ts'
import { requestIdFrom, runInRequest } from '../request-context.ts'
import { ANSWERED, type RequestInput, type Route } from './route.ts'
import { createValidator } from './validation.ts'

/** The largest JSON body is a signed record of 32 KiB in base64; everything else is far smaller. */
const MAX_BODY_BYTES = 64 * KIB
/** A name of a package with its scope, percent-encoded. */
const MAX_PARAM_LENGTH = 512
/**
 * Given, so that fastify loads neither ajv nor fast-json-stringify, 10 MB less: the checks are in validation.ts. No route
 * has a schema for fastify, so these are never called; their declared types are those of the two libraries.
 */
const NO_COMPILERS = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => JSON.stringify
} as unknown as NonNullable<FastifySchemaControllerOptions['compilersFactory']>

export const TAR_TYPE = 'application/x-tar'
/** Bodies that are handed over as they come. */
const STREAM_TYPES = [TAR_TYPE, BUNDLE_TYPE]
const JSON_TYPE = 'application/json'

export interface AdminModules {
  routes: readonly Route[]
  metrics: NodeMetrics
  logger: Logger
}

/** For requests that come to `server`; without one, tests inject them. */
export function buildApp(modules: AdminModules, server?: Server): FastifyInstance {
  const app = fastify({
    ...(server === undefined ? {} : { serverFactory: () => server }),
    bodyLimit: MAX_BODY_BYTES,
    genReqId: request => requestIdFrom(request.headers['x-request-id']),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    schemaController: { compilersFactory: NO_COMPILERS },
    // A path that cannot be decoded meets no route and no hook.
    frameworkErrors: (thrown, request, reply) => {
      sendError(modules.logger, request, reply, errorOfRequest(thrown))
    }
  })
  app.addContentTypeParser(STREAM_TYPES, (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const url = request.routeOptions.url ?? 'unknown'
    modules.metrics.requestDone(url, request.method, reply.statusCode, reply.elapsedTime / SECOND_MS)
    done()
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = methodsOf(modules.routes, path)
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '))
      const error = new CatalogError('METHOD_NOT_ALLOWED', `${path} has no ${request.method}`, {
        hint: `use ${allowed.join(' or ')}`,
        details: { allowed }
      })
      return sendError(modules.logger, request, reply, error)
    }
    const error = new CatalogError('NOT_FOUND', `the admin API has no ${request.method} ${path}`, {
      hint: 'GET /openapi.json lists every route'
    })
    sendError(modules.logger, request, reply, error)
  })
  app.setErrorHandler((thrown, request, reply) => {
    sendError(modules.logger, request, reply, errorOfRequest(thrown))
  })
  for (const route of modules.routes) addRoute(app, route, modules.logger)
  return app
}

/** Methods that there are for a path. */
function methodsOf(routes: readonly Route[], path: string): string[] {
  const words = path.split('/')
  const isOf = ({ url }: Route): boolean => {
    const pattern = url.split('/')
    return (
      pattern.length === words.length &&
      pattern.every((word, at) => (word.startsWith(':') ? words[at] !== '' : word === words[at]))
    )
  }
  return [...new Set(routes.filter(isOf).map(({ method }) => method))]
}

function addRoute(app: FastifyInstance, route: Route, logger: Logger): void {
  const checkParams = route.params && createValidator('params', route.params)
  const checkQuery = route.query && createValidator('query', route.query)
  const checkBody = route.body && createValidator('body', route.body)
  app.route({
    method: route.method,
    url: route.url,
    handler: (request, reply) =>
      runInRequest(request.id, async () => {
        checkMediaType(route, request)
        const input = new Input(request, reply, logger, {
          params: checkParams?.(request.params),
          query: checkQuery?.(request.query),
          body: checkBody === undefined ? request.body : checkBody(request.body)
        })
        const { method, url } = route
        const attributes = {
          'http.request.method': method,
          'http.route': url,
          'catalog.request.id': request.id
        }
        const result = await context.with(contextOfRequest(request), () =>
          withSpan('request', attributes, () => route.handle(input), SpanKind.SERVER)
        )
        if (result === ANSWERED) return reply
        return reply.code(route.status).send(result)
      })
  })
}

type Checked = Pick<RequestInput<unknown, unknown, unknown>, 'params' | 'query' | 'body'>

/**
 * A class for its getter. In an object literal, a getter of each request's own gives each its own hidden class of V8, which lies in the old
 * generation and holds the request until all of the heap is collected: that took more time than all else of an answer.
 */
class Input implements RequestInput<unknown, unknown, unknown> {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly requestId: string
  readonly log: Logger
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  #signal: AbortSignal | undefined

  constructor(request: FastifyRequest, reply: FastifyReply, log: Logger, checked: Checked) {
    this.params = checked.params
    this.query = checked.query
    this.body = checked.body
    this.requestId = request.id
    this.log = log
    this.request = request
    this.reply = reply
  }

  /** Most requests are answered at once and never look at it. */
  get signal(): AbortSignal {
    this.#signal ??= goneSignal(this.reply)
    return this.#signal
  }
}

/** A client may have what it asks for be part of a trace of its own. */
function contextOfRequest({ headers: { traceparent } }: FastifyRequest): Context {
  return contextOf(typeof traceparent === 'string' ? traceparent : '') ?? context.active()
}

/** A tar stream that was parsed as JSON would be an empty one, and JSON that comes as a tar no JSON: both are said at once. */
function checkMediaType({ method, url, body, consumes }: Route, request: FastifyRequest): void {
  if (body === undefined && consumes === undefined) return
  const wanted = consumes ?? JSON_TYPE
  const given = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (given === wanted || (given === undefined && consumes === undefined)) return
  throw new CatalogError('INVALID_ARGUMENT', `${method} ${url} takes ${wanted}, not ${given ?? 'nothing'}`)
}

/** Aborted when the connection closes before the response has ended. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  const onClose = (): void => {
    if (!reply.raw.writableFinished) gone.abort(new CatalogError('ABORTED', 'the client went away'))
  }
  // Who has gone already closes no second time.
  if (reply.raw.destroyed) onClose()
  else reply.raw.once('close', onClose)
  return gone.signal
}

/** Errors of fastify itself (a body that is no JSON, too large, an unknown media type) get a code of ours. */
function errorOfRequest(thrown: unknown): CatalogError {
  if (thrown instanceof CatalogError || !(thrown instanceof Error)) return toCatalogError(thrown)
  const { statusCode } = thrown as { statusCode?: number }
  if (statusCode === 413)
    return new CatalogError(
      'LIMIT_EXCEEDED',
      `the body of the request is larger than ${MAX_BODY_BYTES} bytes`,
      { cause: thrown, hint: 'a record has at most 32 KiB; everything else is far smaller' }
    )
  if (statusCode !== undefined && statusCode < 500)
    return new CatalogError('INVALID_ARGUMENT', thrown.message, { cause: thrown })
  return toCatalogError(thrown)
}

function sendError(logger: Logger, request: FastifyRequest, reply: FastifyReply, error: CatalogError): void {
  const requestId = request.id
  const fields = { requestId, code: error.code, method: request.method, url: request.url }
  // A bug needs its stack; what a caller did wrong is the caller's news.
  if (error.code === 'INTERNAL') logger.error({ ...fields, err: error.cause ?? error }, error.message)
  else logger.debug(fields, error.message)
  reply
    .code(error.httpStatus)
    .header('x-request-id', requestId)
    .send({ error: { ...error.toJSON(), requestId } })
}
