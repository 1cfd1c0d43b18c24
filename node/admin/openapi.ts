/**
 * The OpenAPI 3.1 document of the admin API, made from the routes' own schemas (3.1 schemas are JSON Schema as typebox
 * makes it). Assembled here in a few lines, as @fastify/swagger would cost 4 MB of memory for it.
 */
import type * as Type from 'typebox'
import { ErrorResponse } from '../schemas.ts'
import type { Route } from './route.ts'

const OPENAPI_VERSION = '3.1.0'

export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, unknown>>
  components: { schemas: Record<string, unknown> }
}

/** Pure: the same routes give the same document, keys in the order of the routes. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operationOf(route)
  }
  return {
    openapi: OPENAPI_VERSION,
    info: {
      title: 'Catalog admin API',
      version,
      description: 'HTTP/1.1 over the unix socket admin.sock of a Catalog home.'
    },
    paths,
    components: { schemas: { Error: ErrorResponse } }
  }
}

function operationOf(route: Route): Record<string, unknown> {
  const operation: Record<string, unknown> = {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary
  }
  const parameters = [...parametersIn('path', route.params), ...parametersIn('query', route.query)]
  if (parameters.length > 0) operation.parameters = parameters
  if (route.body !== undefined)
    operation.requestBody = { required: true, content: { 'application/json': { schema: route.body } } }
  if (route.consumes !== undefined)
    operation.requestBody = { required: true, content: { [route.consumes]: {} } }
  operation.responses = { [route.status]: successOf(route), default: ERROR_RESPONSE }
  return operation
}

const ERROR_RESPONSE = {
  description: 'An error; its code says which.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
}

function successOf(route: Route): Record<string, unknown> {
  const media = route.produces ?? 'application/json'
  const content = { [media]: route.response === undefined ? {} : { schema: route.response } }
  return { description: 'Success.', headers: { 'x-request-id': { schema: { type: 'string' } } }, content }
}

function parametersIn(place: 'path' | 'query', schema: Type.TSchema | undefined): unknown[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, unknown>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: property
  }))
}

/** `GET /v1/packages/:name` is `getPackagesName`. */
function operationId(route: Route): string {
  const words = route.url.split(/[^A-Za-z0-9]+/).filter(word => word !== '' && word !== 'v1')
  return route.method.toLowerCase() + words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
