import { createServer } from 'node:net'
import { Gauge, Registry } from 'prom-client'
import { afterEach, expect, it } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { serveMetrics } from '../../../node/metrics-listener.ts'

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

async function listening(): Promise<{ url: string; listen: string }> {
  const registry = new Registry()
  new Gauge({ name: 'x_files', help: 'Files.', registers: [registry] })
  const listen = `127.0.0.1:${await freePort()}`
  closing.push(await serveMetrics({ registry, logger: silentLogger }, { listen }))
  return { url: `http://${listen}`, listen }
}

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
  const again = serveMetrics({ registry: new Registry(), logger: silentLogger }, { listen })
  await expect(again).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  await (await serveMetrics({ registry: new Registry(), logger: silentLogger }, { listen: '' }))()
})

it('is gone once it was closed, whoever is connected', async () => {
  const { url } = await listening()
  await (await fetch(`${url}/metrics`)).text()
  await closing.splice(0)[0]!()
  await expect(fetch(`${url}/metrics`)).rejects.toThrow('fetch failed')
})
