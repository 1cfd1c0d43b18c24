import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'

export interface SeenRequest {
  method: string
  url: URL
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/** What a route answers: a JSON body with a status, or whatever the function does with the response itself. */
export type Answer = { status?: number; json: unknown } | ((response: http.ServerResponse) => void)
export type Handler = (request: SeenRequest) => Answer | Promise<Answer>

export interface FakeDaemon {
  home: string
  seen: SeenRequest[]
  /** Routes by `METHOD /path`; a `*` at the end matches the rest. */
  routes: Map<string, Handler>
  close(): Promise<void>
}

/** The same in a home of its own within the folder, of the format of today and without anything in it. */
export async function startFakeHome(folder: string): Promise<FakeDaemon> {
  const home = path.join(folder, 'home')
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(path.join(home, 'FORMAT'), '1\n')
  return await startFakeDaemon(home)
}

/** An admin API on `admin.sock` of a home that answers what a test tells it to. */
export async function startFakeDaemon(home: string): Promise<FakeDaemon> {
  const seen: SeenRequest[] = []
  const routes = new Map<string, Handler>()
  const server = http.createServer(async (incoming, response) => {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part as Buffer)
    const url = new URL(incoming.url ?? '/', 'http://socket')
    const request = {
      method: incoming.method ?? '',
      url,
      headers: incoming.headers,
      body: Buffer.concat(parts)
    }
    seen.push(request)
    const handler = find(routes, `${request.method} ${url.pathname}`)
    const answer = handler === undefined ? missing(request) : await handler(request)
    if (typeof answer === 'function') return answer(response)
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', 'x-request-id': 'req-1' })
    response.end(JSON.stringify(answer.json))
  })
  await new Promise<void>(resolve => server.listen(path.join(home, 'admin.sock'), resolve))
  return {
    home,
    seen,
    routes,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

/** An operation that is done at once. */
export function done(kind: string, result: unknown): Answer {
  return {
    status: 202,
    json: {
      operation: { id: 'op1', kind, state: 'done', progress: { phase: 'done' }, result, requestId: 'req-1' }
    }
  }
}

export function failed(status: number, code: string, message: string): Answer {
  return { status, json: { error: { code, message, hint: 'do this', requestId: 'req-1' } } }
}

function find(routes: Map<string, Handler>, wanted: string): Handler | undefined {
  for (const [pattern, handler] of routes) {
    if (pattern === wanted || (pattern.endsWith('*') && wanted.startsWith(pattern.slice(0, -1))))
      return handler
  }
  return undefined
}

function missing(request: SeenRequest): Answer {
  return failed(404, 'NOT_FOUND', `the fake daemon has no ${request.method} ${request.url.pathname}`)
}
