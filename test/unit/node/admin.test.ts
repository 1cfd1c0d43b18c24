import { describe, expect, it } from 'vitest'
import { CatalogError, ERROR_CODES } from '../../../base/index.ts'
import type { ContentStore } from '../../../library/index.ts'
import { buildApp } from '../../../node/admin/app.ts'
import { openApiDocument } from '../../../node/admin/openapi.ts'
import { fakeNode } from './fakes.ts'

describe('answers of the admin API', () => {
  it('carries the request id of the client, or makes one', async () => {
    const app = buildApp(fakeNode().modules)
    const mine = await app.inject({ url: '/v1/operations', headers: { 'x-request-id': 'abc-1' } })
    expect(mine.headers['x-request-id']).toBe('abc-1')
    const hostile = await app.inject({ url: '/v1/operations', headers: { 'x-request-id': 'a b\t"' } })
    expect(hostile.headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/)
  })

  it.each([
    [{ spec: '' }, 'spec is empty'],
    [{ spec: 'x'.repeat(300) }, 'spec has more than 256 characters'],
    [{ spec: 'x', publisher: '' }, 'publisher is empty'],
    [{}, "the request's body must have required properties spec"],
    [{ spec: 7 }, "spec of the request's body must be string"]
  ])('says what is wrong with the body %j', async (body, message) => {
    const response = await buildApp(fakeNode().modules).inject(post('/v1/fetches', JSON.stringify(body)))
    expect(response.json().error).toMatchObject({ code: 'INVALID_ARGUMENT', message })
  })

  it.each([
    ['an unknown route', { url: '/v1/nothing' }, 404, 'NOT_FOUND'],
    [
      'another method than it has',
      { method: 'DELETE' as const, url: '/v1/status' },
      405,
      'METHOD_NOT_ALLOWED'
    ],
    ['a wrong query', { url: '/v1/packages?limit=0' }, 400, 'INVALID_ARGUMENT'],
    ['a query that is no number', { url: '/v1/packages?limit=ten' }, 400, 'INVALID_ARGUMENT'],
    ['a missing query', { url: '/v1/why' }, 400, 'INVALID_ARGUMENT'],
    ['a body that is no JSON', post('/v1/fetches', '{"spec":'), 400, 'INVALID_ARGUMENT'],
    ['a body of the wrong shape', post('/v1/fetches', '{"spec":7}'), 400, 'INVALID_ARGUMENT'],
    ['no body', { method: 'POST' as const, url: '/v1/fetches' }, 400, 'INVALID_ARGUMENT'],
    ['a prototype as body', post('/v1/fetches', '{"__proto__":{"spec":"x"}}'), 400, 'INVALID_ARGUMENT'],
    ['a body over its limit', post('/v1/fetches', `{"spec":"${'x'.repeat(70_000)}"}`), 413, 'LIMIT_EXCEEDED'],
    ['an unknown operation', { url: '/v1/operations/nope' }, 404, 'OPERATION_NOT_FOUND'],
    ['a bad CID', { url: '/v1/contents/nope/tar' }, 400, 'INVALID_ARGUMENT'],
    ['a path that is no URL encoding', { url: '/v1/pins/%zz' }, 400, 'INVALID_ARGUMENT']
  ])('is a code, a hint and the request id for %s', async (_what, request, status, code) => {
    const response = await buildApp(fakeNode({ content: {} as ContentStore }).modules).inject(request)
    expect(response.json()).toMatchObject({ error: { code } })
    expect(response.statusCode).toBe(status)
    expect(response.json().error.requestId).toBe(response.headers['x-request-id'])
    expect(response.json().error.hint).not.toBe('')
  })

  it('names the methods that a path has', async () => {
    const app = buildApp(fakeNode({}).modules)
    const response = await app.inject({ method: 'PUT', url: '/v1/operations/x?y=1' })
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET, DELETE'])
  })

  it('has the status of each code, and never an error without a code', async () => {
    for (const code of Object.keys(ERROR_CODES) as Array<keyof typeof ERROR_CODES>) {
      const why = { why: () => Promise.reject(new CatalogError(code, 'told')) }
      const response = await buildApp(fakeNode({ why }).modules).inject({ url: '/v1/why?spec=x' })
      expect([response.statusCode, response.json().error.code]).toEqual([ERROR_CODES[code].http, code])
    }
    const why = { why: () => Promise.reject(new TypeError('x is not a function')) }
    const bug = await buildApp(fakeNode({ why }).modules).inject({ url: '/v1/why?spec=x' })
    expect([bug.statusCode, bug.json().error.code]).toEqual([500, 'INTERNAL'])
  })

  it('starts an operation, waits for it, and refuses work while paused', async () => {
    const fetching = { fetch: async () => ({ tookMs: 1 }) as never }
    const app = buildApp(fakeNode({ fetching }).modules)
    const started = await app.inject(post('/v1/fetches', '{"spec":"typescript"}'))
    expect(started.statusCode).toBe(202)
    const { id } = started.json().operation
    const ended = await app.inject({ url: `/v1/operations/${id}?wait=1000` })
    expect(ended.json().operation).toMatchObject({ state: 'done', result: { tookMs: 1 } })
    expect((await app.inject({ method: 'POST', url: '/v1/pause' })).json()).toEqual({ state: 'paused' })
    const refused = await app.inject(post('/v1/fetches', '{"spec":"typescript"}'))
    expect([refused.statusCode, refused.json().error.code]).toEqual([409, 'STATE_REFUSED'])
    const twice = await app.inject({ method: 'POST', url: '/v1/pause' })
    expect(twice.json().error.code).toBe('STATE_REFUSED')
    expect((await app.inject({ method: 'POST', url: '/v1/resume' })).json()).toEqual({ state: 'running' })
  })

  it('shows scoped names as one path segment', async () => {
    const releases = { local: async (name: string) => [{ name }] }
    const app = buildApp(fakeNode({ releases: releases as never }).modules)
    const response = await app.inject({ url: '/v1/packages/%40acme%2Fui' })
    expect(response.json()).toEqual({ versions: [{ name: '@acme/ui' }] })
  })

  it('lists every route in the OpenAPI document', async () => {
    const { modules, services } = fakeNode()
    const response = await buildApp(modules).inject({ url: '/openapi.json' })
    const document = response.json()
    for (const { method, url } of modules.routes) {
      const path = url.replaceAll(/:(\w+)/g, '{$1}')
      expect(document.paths[path][method.toLowerCase()].summary).toBeTruthy()
    }
    const ids = Object.values(openApiDocument(modules.routes, services.version).paths)
      .flatMap(path => Object.values(path))
      .map(operation => (operation as { operationId: string }).operationId)
    expect(new Set(ids).size).toBe(modules.routes.length)
  })

  it('gives metrics in the form of Prometheus', async () => {
    const app = buildApp(fakeNode().modules)
    await app.inject({ url: '/v1/operations' })
    const { payload, headers } = await app.inject({ url: '/metrics' })
    expect(headers['content-type']).toContain('text/plain')
    expect(payload).toContain('catalog_node_state_ratio{state="running"} 1')
    expect(payload).toContain(
      'catalog_node_http_requests_total{route="/v1/operations",method="GET",status="200"} 1'
    )
  })
})

function post(url: string, payload: string) {
  return { method: 'POST' as const, url, payload, headers: { 'content-type': 'application/json' } }
}
