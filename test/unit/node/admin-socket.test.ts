/** The admin socket, and what comes and goes over it as a stream. */
import { stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, MIB, MINUTE_MS } from '../../../base/index.ts'
import type { ContentStore, Ingest } from '../../../library/index.ts'
import { serveAdmin as serveUntilClosed } from '../../../node/admin/server.ts'
import type { NodeServices } from '../../../node/services/types.ts'
import { eventually } from '../../eventually.ts'
import { testFolder } from '../../folder.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { serveAdminForTest } from './admin-servers.ts'
import { fakeNode } from './fakes.ts'

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

/** What a fake node answers, with its routes at hand. */
const answering = ({ routes, ...rest }: ReturnType<typeof fakeNode>['modules']) => ({
  ...rest,
  routes: async () => routes
})
const serveAdmin = (
  modules: ReturnType<typeof fakeNode>['modules'],
  options: { socketPath: string }
): Promise<void> => serveAdminForTest(answering(modules), options)

describe('the admin socket', () => {
  let folder: string
  let socketPath: string
  beforeEach(async () => {
    folder = await testFolder('sock')
    socketPath = join(folder, 'admin.sock')
  })

  it('is for its owner only', async () => {
    await serveAdmin(fakeNode().modules, { socketPath })
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  })

  it('replaces the socket of a daemon that is gone, and no other', async () => {
    await leaveStaleSocket(socketPath)
    await serveAdmin(fakeNode().modules, { socketPath })
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
    await serveAdmin(fakeNode({ content }).modules, { socketPath })
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
    await serveAdmin(fakeNode({ content }).modules, { socketPath })
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
    await serveAdmin(fakeNode({ content }).modules, { socketPath })
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

  it('cuts off a client of bulk bytes that takes none for minutes, and lets go of what they are read from', async () => {
    const clock = new FakeClock()
    const { promise, resolve } = Promise.withResolvers<void>()
    const backingUp = {
      async *create() {
        try {
          for (;;) yield Buffer.alloc(MIB)
        } finally {
          resolve()
        }
      }
    } as unknown as NodeServices['backingUp']
    await serveAdmin(fakeNode({ backingUp }, clock).modules, { socketPath })
    const stream = await open(socketPath, '/v1/backup')
    stream.pause()
    const end = { isReached: false }
    void promise.then(() => {
      end.isReached = true
    })
    await clock.advance(4 * MINUTE_MS)
    expect(end.isReached).toBe(false)
    await eventually(async () => {
      await clock.advance(MINUTE_MS)
      return end.isReached
    })
  })

  it('answers an error before the first byte of a tar as any other', async () => {
    const content = {
      // biome-ignore lint/correctness/useYield: it fails before its first chunk
      async *exportTar() {
        throw new CatalogError('CONTENT_MISSING', 'not here')
      }
    } as unknown as ContentStore
    await serveAdmin(fakeNode({ content }).modules, { socketPath })
    const answer = await call(socketPath, { path: `/v1/contents/${CID}/tar` })
    expect(answer).toMatchObject({ status: 404, json: { error: { code: 'CONTENT_MISSING' } } })
  })

  it('tells events, and ends their streams when it closes', async () => {
    const { modules, services } = fakeNode()
    const server = await serveUntilClosed(answering(modules), { socketPath })
    const stream = await open(socketPath, '/v1/events')
    services.events.emit('peer', { peerId: 'p1' })
    await stream.until('"peerId":"p1"')
    const closing = server.close(new AbortController().signal)
    await stream.ended
    await closing
    const [first, second] = stream.text().split('\n\n')
    expect(first).toMatch(/^id: 0\nevent: state\ndata: \{"seq":0,"type":"state","at":".*","data":\{"state":/)
    expect(second).toMatch(
      /^id: 1\nevent: peer\ndata: \{"seq":1,"type":"peer","at":".*","data":\{"peerId":"p1"\}\}$/
    )
    expect(modules.streams.size).toBe(0)
  })

  it('cuts off a watcher that does not read', async () => {
    const { modules, services } = fakeNode()
    await serveAdmin(modules, { socketPath })
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
    await serveAdmin(modules, { socketPath })
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
    await serveAdmin(modules, { socketPath })
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
