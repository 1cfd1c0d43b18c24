import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, ERROR_CODES } from '../../../base/index.ts'
import type { ContentStore, Ingest } from '../../../library/index.ts'
import { buildApp } from '../../../node/admin/app.ts'
import { openApiDocument } from '../../../node/admin/openapi.ts'
import { type AdminServer, serveAdmin as serveLate } from '../../../node/admin/server.ts'
import { fakeNode } from './fakes.ts'

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

const serveAdmin = (
  { routes, ...rest }: ReturnType<typeof fakeNode>['modules'],
  options: { socketPath: string }
) => serveLate({ ...rest, routes: async () => routes }, options)

describe('answers of the admin API', () => {
  it('carries the request id of the client, or makes one', async () => {
    const app = buildApp(fakeNode().modules)
    const mine = await app.inject({ url: '/v1/operations', headers: { 'x-request-id': 'abc-1' } })
    expect(mine.headers['x-request-id']).toBe('abc-1')
    const hostile = await app.inject({ url: '/v1/operations', headers: { 'x-request-id': 'a b\t"' } })
    expect(hostile.headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/)
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

describe('the admin socket', () => {
  let folder: string
  let socketPath: string
  let server: AdminServer | undefined
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'catalog-sock-'))
    socketPath = join(folder, 'admin.sock')
  })
  afterEach(async () => {
    await server?.close(AbortSignal.abort())
    server = undefined
    await rm(folder, { recursive: true, force: true })
  })

  it('is for its owner only', async () => {
    server = await serveAdmin(fakeNode().modules, { socketPath })
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  })

  it('replaces the socket of a daemon that is gone, and no other', async () => {
    await leaveStaleSocket(socketPath)
    server = await serveAdmin(fakeNode().modules, { socketPath })
    await expect(serveAdmin(fakeNode().modules, { socketPath })).rejects.toMatchObject({
      code: 'SOCKET_IN_USE'
    })
    expect((await call(socketPath, { path: '/v1/operations' })).status).toBe(200)
    const file = join(folder, 'file')
    await writeFile(file, 'mine')
    await expect(serveAdmin(fakeNode().modules, { socketPath: file })).rejects.toMatchObject({
      code: 'SOCKET_IN_USE'
    })
  })

  it('says when its path is too long', async () => {
    const long = join(folder, 'x'.repeat(108 - folder.length))
    await expect(serveAdmin(fakeNode().modules, { socketPath: long })).rejects.toMatchObject({
      code: 'SOCKET_PATH_TOO_LONG'
    })
  })

  it('takes a tar stream at the pace of the store', async () => {
    const { ingest, written, gate } = slowIngest()
    const content = { beginIngest: async () => ingest } as unknown as ContentStore
    server = await serveAdmin(fakeNode({ content }).modules, { socketPath })
    const body = Buffer.alloc(5 * 1024 * 1024 + 123, 7)
    const answer = call(socketPath, { path: '/v1/ingests', method: 'POST', headers: TAR }, body)
    await gate.first
    expect(written).toEqual([1024 * 1024])
    gate.open()
    expect(await answer).toMatchObject({ status: 201, json: { content: CID, sizeBytes: body.length } })
    expect(written).toEqual([...Array(5).fill(1024 * 1024), 123])
  })

  it('aborts an ingest whose client goes away', async () => {
    const { ingest, gate, aborted } = slowIngest()
    gate.open()
    const content = { beginIngest: async () => ingest } as unknown as ContentStore
    server = await serveAdmin(fakeNode({ content }).modules, { socketPath })
    const request = http.request({ socketPath, path: '/v1/ingests', method: 'POST', headers: TAR })
    request.on('error', () => {})
    request.write(Buffer.alloc(2 * 1024 * 1024))
    await gate.first
    request.destroy()
    await aborted
  })

  it('says in a trailer how a tar stream ended', async () => {
    const content = {
      async *exportTar(cid: { toString(): string }) {
        yield Buffer.from('first')
        if (cid.toString() === CID) yield Buffer.from('last')
        else throw new CatalogError('CONTENT_CORRUPT', 'a block is damagéd')
      }
    } as unknown as ContentStore
    server = await serveAdmin(fakeNode({ content }).modules, { socketPath })
    const good = await call(socketPath, { path: `/v1/contents/${CID}/tar` })
    expect([good.body, good.trailers['x-catalog-status']]).toEqual(['firstlast', 'ok'])
    const other = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    const failed = await call(socketPath, { path: `/v1/contents/${other}/tar` })
    expect(failed.body).toBe('first')
    expect(JSON.parse(failed.trailers['x-catalog-status'] ?? '')).toMatchObject({
      code: 'CONTENT_CORRUPT',
      message: 'a block is damagéd'
    })
  })

  it('answers an error before the first byte of a tar as any other', async () => {
    const content = {
      // biome-ignore lint/correctness/useYield: it fails before its first chunk
      async *exportTar() {
        throw new CatalogError('CONTENT_MISSING', 'not here')
      }
    } as unknown as ContentStore
    server = await serveAdmin(fakeNode({ content }).modules, { socketPath })
    const answer = await call(socketPath, { path: `/v1/contents/${CID}/tar` })
    expect(answer).toMatchObject({ status: 404, json: { error: { code: 'CONTENT_MISSING' } } })
  })

  it('tells events, and ends their streams when it closes', async () => {
    const { modules, services } = fakeNode()
    server = await serveAdmin(modules, { socketPath })
    const stream = await open(socketPath, '/v1/events')
    services.events.emit('peer', { peerId: 'p1' })
    await stream.until('"peerId":"p1"')
    const closing = server.close(new AbortController().signal)
    await stream.ended
    await closing
    server = undefined
    const [first, second] = stream.text().split('\n\n')
    expect(first).toMatch(/^id: 0\nevent: state\ndata: \{"seq":0,"type":"state","at":".*","data":\{"state":/)
    expect(second).toMatch(
      /^id: 1\nevent: peer\ndata: \{"seq":1,"type":"peer","at":".*","data":\{"peerId":"p1"\}\}$/
    )
    expect(modules.streams.size).toBe(0)
  })

  it('cuts off a watcher that does not read', async () => {
    const { modules, services } = fakeNode()
    server = await serveAdmin(modules, { socketPath })
    const stream = await open(socketPath, '/v1/events')
    stream.pause()
    const big = 'x'.repeat(100_000)
    for (let i = 0; i < 100 && services.events.listeners > 0; i++) {
      services.events.emit('peer', { big })
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(services.events.listeners).toBe(0)
  })

  it('follows an operation to its end', async () => {
    const { promise, resolve } = Promise.withResolvers<never>()
    const { modules } = fakeNode({ fetching: { fetch: () => promise } })
    server = await serveAdmin(modules, { socketPath })
    const started = await call(
      socketPath,
      { path: '/v1/fetches', method: 'POST', headers: { 'content-type': 'application/json' } },
      Buffer.from('{"spec":"x"}')
    )
    const stream = await open(socketPath, `/v1/operations/${started.json.operation.id}/events`)
    await stream.until('"state":"running"')
    resolve({} as never)
    await stream.ended
    expect(stream.text()).toContain('"state":"done"')
  })

  it('gives the recent log, of the level asked for', async () => {
    const { modules, services } = fakeNode()
    server = await serveAdmin(modules, { socketPath })
    services.logging.logger.info({ sizeBytes: 7 }, 'kept')
    services.logging.logger.debug({}, 'too fine')
    services.logging.logger.trace({}, 'not logged')
    const { body } = await call(socketPath, { path: '/v1/log?level=info' })
    expect(
      body
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).msg)
    ).toEqual(['kept'])
  })
})

const TAR = { 'content-type': 'application/x-tar' }

function post(url: string, payload: string) {
  return { method: 'POST' as const, url, payload, headers: { 'content-type': 'application/json' } }
}

/** An ingest whose first write waits for `gate.open()`. */
function slowIngest() {
  const written: number[] = []
  const first = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const ingest: Ingest = {
    async write(bytes) {
      written.push(bytes.length)
      first.resolve()
      await opened.promise
    },
    async finish() {
      const sizeBytes = written.reduce((sum, size) => sum + size, 0)
      return { content: { toString: () => CID } as never, sizeBytes, files: 1, newBytes: 0 }
    },
    abort: async () => aborted.resolve()
  }
  return { ingest, written, aborted: aborted.promise, gate: { first: first.promise, open: opened.resolve } }
}

/** What a daemon that was killed leaves: a socket nobody listens on. */
async function leaveStaleSocket(path: string): Promise<void> {
  const moved = `${path}.listening`
  const server = createServer()
  await new Promise<void>(resolve => server.listen(moved, resolve))
  const { rename } = await import('node:fs/promises')
  await rename(moved, path)
  await new Promise(resolve => server.close(resolve))
  expect((await stat(path)).isSocket()).toBe(true)
}

interface Answer {
  status: number
  body: string
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
  json: any
  trailers: NodeJS.Dict<string>
}

function call(socketPath: string, options: http.RequestOptions, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, agent: false, ...options }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = (response.headers['content-type'] ?? '').startsWith('application/json')
        resolve({
          status: response.statusCode ?? 0,
          body: text,
          json: isJson ? JSON.parse(text) : undefined,
          trailers: response.trailers
        })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Opens a stream and collects what it says. */
async function open(socketPath: string, path: string) {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ socketPath, path, agent: false }, resolve).on('error', reject)
  })
  let text = ''
  let changed = (): void => {}
  const ended = new Promise<void>(resolve => response.on('close', resolve))
  response.on('error', () => {})
  response.on('data', chunk => {
    text += chunk
    changed()
  })
  return {
    ended,
    text: () => text,
    pause: () => response.pause(),
    until: (wanted: string) =>
      new Promise<void>(resolve => {
        changed = () => {
          if (text.includes(wanted)) resolve()
        }
        changed()
      })
  }
}
