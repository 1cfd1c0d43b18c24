/**
 * A route of the admin API, declared once: its schemas validate what comes in, type what the handler sees, and make the
 * OpenAPI document.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type * as Type from 'typebox'
import type { Logger } from '../../base/index.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface RequestInput<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly requestId: string
  /** Aborted when the client goes away before the answer. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** What a handler returns when it has taken over the connection and answered by itself. */
export const ANSWERED = Symbol('answered')

export interface Route {
  readonly method: Method
  readonly url: string
  readonly tag: string
  readonly summary: string
  readonly params: Type.TSchema | undefined
  readonly query: Type.TSchema | undefined
  readonly body: Type.TSchema | undefined
  /** Status of success; 200 unless given. */
  readonly status: number
  /** Of the JSON of success; absent for another media type. */
  readonly response: Type.TSchema | undefined
  /** Of the response, when it is no JSON. */
  readonly produces: string | undefined
  /** Of a request body that is handed over as a stream. */
  readonly consumes: string | undefined
  handle(input: RequestInput<unknown, unknown, unknown>): unknown
}

interface RouteDeclaration<
  P extends Type.TSchema,
  Q extends Type.TSchema,
  B extends Type.TSchema,
  R extends Type.TSchema
> {
  method: Method
  url: string
  tag: string
  summary: string
  params?: P
  query?: Q
  body?: B
  status?: number
  response?: R
  produces?: string
  consumes?: string
  handle(
    input: RequestInput<Type.Static<P>, Type.Static<Q>, Type.Static<B>>
  ): Promise<Type.Static<R> | typeof ANSWERED> | Type.Static<R> | typeof ANSWERED
}

/** Checks a declaration's types against each other and makes the plain form that the server and OpenAPI use. */
export function route<
  P extends Type.TSchema = Type.TUnknown,
  Q extends Type.TSchema = Type.TUnknown,
  B extends Type.TSchema = Type.TUnknown,
  R extends Type.TSchema = Type.TUnknown
>(declaration: RouteDeclaration<P, Q, B, R>): Route {
  const { method, url, tag, summary, params, query, body, response, produces, consumes } = declaration
  return {
    method,
    url,
    tag,
    summary,
    params,
    query,
    body,
    response,
    produces,
    consumes,
    status: declaration.status ?? 200,
    // The server has validated the parts against these very schemas before it calls.
    handle: input => declaration.handle(input as RequestInput<Type.Static<P>, Type.Static<Q>, Type.Static<B>>)
  }
}
