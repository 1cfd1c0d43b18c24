/** The admin socket is open before there is anything to answer: that is loaded for the first request. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import http from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { serveAdmin } from '../../../node/admin/server.ts'
import { testFolder } from '../../folder.ts'
import { serveAdminForTest } from './admin-servers.ts'
import { fakeNode } from './fakes.ts'

let socketPath: string
beforeEach(async () => {
  socketPath = join(await testFolder('sock'), 'admin.sock')
})

it('loads its routes for the first request, once, and keeps nobody waiting who came meanwhile', async () => {
  const { routes, ...rest } = fakeNode().modules
  const gate = Promise.withResolvers<void>()
  let times = 0
  const late = async () => {
    times++
    await gate.promise
    return routes
  }
  await serveAdminForTest({ ...rest, routes: late }, { socketPath })
  expect(times).toBe(0)
  const arrived = requestsArrived(3)
  const answers = [1, 2, 3].map(() => statusOf('/v1/operations'))
  await arrived
  gate.resolve()
  expect(await Promise.all(answers)).toEqual([200, 200, 200])
  expect(times).toBe(1)
})

it('closes when nobody has ever asked, and after who asked while it closes', async () => {
  const { modules } = fakeNode()
  const idle = await serveAdmin({ ...modules, routes: async () => modules.routes }, { socketPath })
  await idle.close(new AbortController().signal)
  const { routes, ...rest } = modules
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const late = async () => {
    asked.resolve()
    await gate.promise
    return routes
  }
  const busy = await serveAdmin({ ...rest, routes: late }, { socketPath })
  const answer = statusOf('/v1/operations')
  await asked.promise
  const closed = busy.close(new AbortController().signal)
  gate.resolve()
  expect(await answer).toBe(200)
  await closed
})

it.each([
  [400, 'INVALID_ARGUMENT', 'hello\r\n\r\n'],
  [431, 'LIMIT_EXCEEDED', `GET / HTTP/1.1\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`]
])(
  'answers %d to what is no request, in the form of every error, loaded or not',
  async (status, code, text) => {
    const { modules } = fakeNode()
    await serveAdminForTest({ ...modules, routes: async () => modules.routes }, { socketPath })
    for (const isLoaded of [false, true]) {
      if (isLoaded) await statusOf('/v1/operations')
      const [head = '', body = ''] = (await raw(text)).split('\r\n\r\n')
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      const requestId = /^x-request-id: (\w+)$/m.exec(head)?.[1]
      expect(JSON.parse(body)).toEqual({
        error: expect.objectContaining({
          code,
          requestId,
          message: expect.any(String),
          hint: expect.any(String)
        })
      })
    }
  }
)

it('cuts off whom it cannot answer', async () => {
  const routes = async () => {
    throw new Error('no routes')
  }
  await serveAdminForTest({ ...fakeNode().modules, routes }, { socketPath })
  await expect(statusOf('/v1/operations')).rejects.toMatchObject({ code: 'ECONNRESET' })
})

/** Resolves when so many requests have reached a server of this process. */
function requestsArrived(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let arrived = 0
  const onRequest = (): void => {
    if (++arrived < count) return
    unsubscribe('http.server.request.start', onRequest)
    resolve()
  }
  subscribe('http.server.request.start', onRequest)
  return promise
}

function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, agent: false }, response => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject).end()
  })
}

/** What comes back for these bytes until the connection is closed. */
async function raw(text: string): Promise<string> {
  const socket = connect(socketPath)
  let answer = ''
  socket.on('data', part => {
    answer += part
  })
  socket.on('error', () => {})
  socket.write(text)
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}
