import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { Gauge, Registry } from 'prom-client'
import { afterEach, expect, it } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { COLLECT_EVERY_MS, CONNECTION_MS, serveMetrics } from '../../../node/metrics-listener.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const closing: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

async function listening() {
  const registry = new Registry()
  let collections = 0
  const broken = { is: false }
  new Gauge({
    name: 'x_files',
    help: 'Files.',
    registers: [registry],
    collect: () => {
      collections++
      if (broken.is) throw new Error('no files can be counted')
    }
  })
  const clock = new ManualClock()
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  closing.push(await serveMetrics({ registry, clock, logger: silentLogger }, { listen }))
  /** A connection that has sent so much. */
  const dialled = async (sends = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    closing.push(async () => socket.destroy())
    // How it was cut is nobody's business.
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(sends)
    return socket
  }
  return { url: `http://${listen}`, listen, clock, dialled, broken, collections: () => collections }
}

/** Closed, or cut. */
const gone = (socket: Socket): Promise<unknown> =>
  new Promise(resolve => void socket.resume().once('close', resolve))

it('answers GET /metrics and nothing else', async () => {
  const { url } = await listening()
  const answer = await fetch(`${url}/metrics`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain')
  ])
  expect(await answer.text()).toContain('x_files 0')
  const of = async (path: string, method: string): Promise<number> =>
    (await fetch(url + path, { method })).status
  expect(await of('/metrics', 'POST')).toBe(405)
  for (const path of ['/', '/v1/status', '/metrics/', '/metrics?x']) expect(await of(path, 'GET')).toBe(404)
})

it('says when it cannot listen, and listens nowhere unless told', async () => {
  const { listen } = await listening()
  const others = { registry: new Registry(), clock: new ManualClock(), logger: silentLogger }
  const again = serveMetrics(others, { listen })
  await expect(again).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  await (await serveMetrics(others, { listen: '' }))()
})

it('is gone once it was closed, whoever is connected', async () => {
  const { url, dialled } = await listening()
  await (await fetch(`${url}/metrics`)).text()
  const silent = await dialled()
  await closing.splice(0, 1)[0]!()
  await text(silent)
  await expect(fetch(`${url}/metrics`)).rejects.toThrow('fetch failed')
})

it('collects once a second, however often it is asked', async () => {
  const { url, clock, collections } = await listening()
  const ask = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text()
  const answers = await Promise.all([ask(), ask(), ask()])
  expect([new Set([...answers, await ask()]).size, collections()]).toEqual([1, 1])
  await clock.advance(COLLECT_EVERY_MS)
  await ask()
  expect(collections()).toBe(2)
})

it('answers 500 while metrics cannot be collected', async () => {
  const { url, clock, broken } = await listening()
  const status = async (): Promise<number> => (await fetch(`${url}/metrics`)).status
  broken.is = true
  expect(await status()).toBe(500)
  broken.is = false
  await clock.advance(COLLECT_EVERY_MS)
  expect(await status()).toBe(200)
})

it.each([
  ['nothing', ''],
  ['half a request', 'GET /metrics HTTP/1.1\r\nhost: x\r\n']
])('ends a connection over which %s comes', async (_, sent) => {
  const { clock, dialled } = await listening()
  const ended = gone(await dialled(sent))
  // That one of those who came later has been answered says that the first has been seen.
  await gone(await dialled('nonsense\r\n\r\n'))
  await clock.advance(CONNECTION_MS)
  await ended
})

it('answers one request of a connection, none with a long head, and reads no body', async () => {
  const { dialled, collections } = await listening()
  const get = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'
  const answered = await text(await dialled(get.repeat(50)))
  expect([answered.match(/HTTP\/1\.1/g), collections()]).toEqual([['HTTP/1.1'], 1])
  const refused = await text(await dialled(`GET /metrics HTTP/1.1\r\nx: ${'x'.repeat(5000)}\r\n\r\n`))
  expect(refused).toMatch(/^HTTP\/1\.1 431 /)
  const endless = 'POST /metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n'
  expect(await text(await dialled(endless))).toMatch(/^HTTP\/1\.1 405 /)
  expect(collections()).toBe(1)
})

it('has few connections at once', async () => {
  const { dialled, url, collections } = await listening()
  const held = await Promise.all(Array.from({ length: 16 }, () => dialled()))
  await gone(await dialled('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'))
  expect(collections()).toBe(0)
  held[0]!.destroy()
  await eventually(() =>
    fetch(`${url}/metrics`).then(
      ({ status }) => status === 200,
      () => false
    )
  )
})
