import { afterEach, describe, expect, test } from 'vitest'
import { type Clock, type Logger, partMetrics, silentLogger, systemClock } from '../../../base/index.ts'
import { WorkerClient } from '../../../library/worker/client.ts'

const url = new URL('./fixtures/stub-worker.ts', import.meta.url)
const clients: WorkerClient[] = []

/** A clock whose waits end when the test says so. */
class HandClock implements Clock {
  readonly waits: Array<{ ms: number; end: () => void }> = []
  now = systemClock.now
  monotonicMs = systemClock.monotonicMs

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { ms, end: resolve }
      this.waits.push(entry)
      signal?.addEventListener('abort', () => {
        this.waits.splice(this.waits.indexOf(entry), 1)
        reject(signal.reason)
      })
    })
  }
}

function makeClient(log: Logger = silentLogger): { client: WorkerClient; clock: HandClock } {
  const clock = new HandClock()
  const metrics = partMetrics(undefined, 'library')
  const settings = {
    home: '',
    databaseFolder: '',
    quotaBytes: 0,
    segmentsFolder: '',
    compression: 'zstd' as const
  }
  const client = new WorkerClient({ log, clock, metrics }, { url, settings })
  clients.push(client)
  return { client, clock }
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close()))
})

describe('worker client', () => {
  test('starts on demand, stays while asked, ends after a minute without work, starts again', async () => {
    const { client, clock } = makeClient()
    expect(client.running).toBe(false)
    expect(await client.request('open', undefined)).toBe(1)
    expect(await client.request('open', undefined)).toBe(2)
    expect(clock.waits.map(wait => wait.ms)).toEqual([60_000])
    clock.waits[0]!.end()
    // Asked just before it would end: it stays.
    expect(await client.request('open', undefined)).toBe(3)
    clock.waits.at(-1)!.end()
    await new Promise(resolve => setImmediate(resolve))
    // Asked while it ends: the new one waits for the old, and counts from one.
    expect(await client.request('open', undefined)).toBe(1)
    expect(client.running).toBe(true)
  })

  test('a hold keeps it running', async () => {
    const { client, clock } = makeClient()
    const release = client.hold()
    await client.request('open', undefined)
    expect(clock.waits).toEqual([])
    release()
    release()
    expect(clock.waits.length).toBe(1)
  })

  test('errors and log lines cross whole', async () => {
    const lines: unknown[] = []
    const log = { ...silentLogger, info: (fields: object, message: string) => lines.push([fields, message]) }
    const { client } = makeClient(log as Logger)
    await expect(client.request('verify', { content: new Uint8Array() })).rejects.toMatchObject({
      name: 'CatalogError',
      code: 'CONTENT_CORRUPT',
      hint: 'do it',
      details: { id: 'ab' }
    })
    expect(lines).toEqual([[{ a: 1 }, 'a line']])
  })

  test('an abort ends the wait at once and is told to the worker', async () => {
    const { client } = makeClient()
    const told = client.request('ingestOpen', { ingest: 1 })
    const abort = new AbortController()
    const call = client.request('ingestAbort', { ingest: 1 }, { signal: abort.signal })
    await client.request('open', undefined)
    abort.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(await told).toMatch(/^cancelled /)
    await expect(client.request('open', undefined, { signal: abort.signal })).rejects.toThrow('enough')
  })

  test('a crash fails the calls that are open and the next starts a new worker', async () => {
    const { client } = makeClient()
    expect(await client.request('open', undefined)).toBe(1)
    const open = client.request('ingestAbort', { ingest: 1 })
    await expect(client.request('blocksFlush', { receive: 1 })).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(open).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await client.request('open', undefined)).toBe(1)
  })

  test('closed, it refuses', async () => {
    const { client } = makeClient()
    await client.request('open', undefined)
    await client.close()
    expect(client.running).toBe(false)
    await expect(client.request('open', undefined)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await client.close()
  })
})
