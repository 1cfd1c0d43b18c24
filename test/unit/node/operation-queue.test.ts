import { describe, expect, it } from 'vitest'
import { CatalogError, DAY_MS, type ErrorCode, silentLogger, systemClock } from '../../../base/index.ts'
import { KeyFamily, makeKey } from '../../../library/index.ts'
import { OperationManager } from '../../../node/operations.ts'
import { MAX_QUEUED, OperationQueue } from '../../../node/services/operation-queue.ts'
import { Replaying } from '../../../node/services/replaying.ts'
import { eventually } from '../../eventually.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

describe('the queue', () => {
  const fresh = () => {
    const database = new MemoryDatabase()
    return { database, queue: new OperationQueue({ database, clock: systemClock }) }
  }

  it('keeps what is asked for in its order, once, in the database', async () => {
    const { database, queue } = fresh()
    const one = await queue.add('fetch', { spec: 'one' })
    await queue.add('sync', { peer: 'one' })
    expect(await queue.add('fetch', { spec: 'one' })).toEqual(one)
    const later = new OperationQueue({ database, clock: systemClock })
    expect(await later.list()).toMatchObject([
      { kind: 'fetch', request: { spec: 'one' }, attempts: 0 },
      { kind: 'sync', request: { peer: 'one' } }
    ])
    await later.failed(one, 'NO_PEERS')
    expect((await queue.list())[0]).toEqual({ ...one, attempts: 1, lastError: 'NO_PEERS' })
    expect(await queue.remove(one.id)).toBe(true)
    expect(await queue.remove(one.id)).toBe(false)
    // A try that ends after it was taken out does not bring it back.
    await queue.failed(one, 'NO_PEERS')
    expect(await queue.list()).toHaveLength(1)
  })

  it('is bounded, and drops what it cannot read', async () => {
    const { database, queue } = fresh()
    for (let i = 0; i < MAX_QUEUED; i++) await queue.add('fetch', { spec: `name-${i}` })
    await expect(queue.add('fetch', { spec: 'more' })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(queue.add('fetch', { spec: 'x'.repeat(2100) })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED'
    })
    const key = makeKey(KeyFamily.Queue, Buffer.from('0'))
    for (const row of [
      '{',
      '{}',
      JSON.stringify({ id: '0', kind: 'other', request: {}, queuedAt: 1, attempts: 0 })
    ]) {
      await database.write([{ type: 'put', key, value: Buffer.from(row) }])
      await queue.list()
      expect(database.get(key)).toBeUndefined()
    }
  })
})

describe('what is queued', () => {
  const failure = (code: ErrorCode) => new CatalogError(code, code)

  /** A node on a clock of the test's, whose handlers end when the test says so. */
  async function node(names: string[]) {
    const clock = new ManualClock()
    const queue = new OperationQueue({ database: new MemoryDatabase(), clock })
    for (const name of names) await queue.add('fetch', { spec: name })
    const started: string[] = []
    const running = new Map<string, (error?: CatalogError) => void>()
    let connected: string[] = []
    const listeners = new Set<(peer: string) => void>()
    const operations = new OperationManager({ clock: systemClock }, { maxRunning: 100 })
    const replaying = new Replaying({
      queue,
      handlers: {
        fetch: ({ spec }, { signal }) => {
          started.push(spec)
          return new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
            running.set(spec, error => (error === undefined ? resolve({}) : reject(error)))
          })
        },
        sync: async () => ({})
      },
      network: {
        connected: () => connected,
        onConnected: listener => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        }
      },
      operations,
      clock,
      logger: silentLogger,
      random: () => 1
    })
    replaying.start()
    const connect = (peer: string): void => {
      connected = [...connected, peer]
      for (const listener of listeners) listener(peer)
    }
    const end = async (name: string, error?: CatalogError): Promise<void> => {
      await eventually(() => running.has(name))
      running.get(name)!(error)
      running.delete(name)
    }
    const left = async (): Promise<string[]> =>
      (await queue.list()).map(({ request }) => ('spec' in request ? request.spec : request.peer))
    return { clock, queue, replaying, operations, started, running, connect, end, left }
  }

  it('waits for somebody to be there, and goes in its order, a few at a time', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const { clock, replaying, started, connect, end, left } = await node(names)
    await clock.advance(60_000)
    expect(started).toEqual([])
    connect('peer')
    await eventually(() => started.length === 4)
    expect(started).toEqual(['a', 'b', 'c', 'd'])
    for (const name of names) await end(name)
    await eventually(async () => (await left()).length === 0)
    expect(started).toEqual(names)
    await replaying.stop()
  })

  it('is tried with nobody there when it names a peer, who may be dialled', async () => {
    const { queue, replaying, started, left } = await node(['a'])
    await queue.add('sync', { peer: 'somebody' })
    await eventually(async () => !(await left()).includes('somebody'))
    expect(started).toEqual([])
    await replaying.stop()
  })

  it('is gone through again after the database could not be read', async () => {
    const { clock, queue, replaying, connect, end, left } = await node(['a'])
    const list = queue.list.bind(queue)
    queue.list = () => Promise.reject(failure('DISK_FULL'))
    connect('peer')
    await clock.advance(1000)
    queue.list = list
    await clock.advance(16 * 60_000, 60_000)
    await end('a')
    await eventually(async () => (await left()).length === 0)
    await replaying.stop()
  })

  it('is tried again later when nobody had it, and soon after a peer comes', async () => {
    const { clock, queue, replaying, started, connect, end } = await node(['a'])
    connect('first')
    await end('a', failure('NO_PROVIDERS'))
    await eventually(async () => (await queue.list())[0]?.attempts === 1)
    await clock.advance(4000)
    expect(started).toHaveLength(1)
    await clock.advance(2000)
    await eventually(() => started.length === 2)
    await end('a', failure('NO_PROVIDERS'))
    await eventually(async () => (await queue.list())[0]?.attempts === 2)
    // Now it would wait for 10 s.
    await clock.advance(6000)
    expect(started).toHaveLength(2)
    connect('second')
    await eventually(() => started.length === 3)
    await end('a')
    await eventually(async () => (await queue.list()).length === 0)
    await replaying.stop()
  })

  it.each<[string, ErrorCode]>([
    ['has failed for good', 'OWNER_CHANGED'],
    ['was cancelled', 'ABORTED']
  ])('is let go of when it %s', async (_how, code) => {
    const { replaying, connect, end, left } = await node(['a'])
    connect('peer')
    await end('a', failure(code))
    await eventually(async () => (await left()).length === 0)
    await replaying.stop()
  })

  it('is let go of after a week', async () => {
    const { clock, queue, replaying, started, connect, left } = await node([])
    await queue.add('fetch', { spec: 'old' })
    await clock.advance(8 * DAY_MS, DAY_MS)
    connect('peer')
    await eventually(async () => (await left()).length === 0)
    expect(started).toEqual([])
    await replaying.stop()
  })

  it('is all tried at once after a partition, and tells how much was done', async () => {
    const { clock, queue, replaying, started, connect, end, left } = await node(['a', 'b', 'c'])
    connect('peer')
    for (const name of ['a', 'b', 'c']) await end(name, failure('NO_PROVIDERS'))
    const areTried = async (times: number, count: number): Promise<boolean> =>
      (await queue.list()).filter(({ attempts }) => attempts === times).length === count
    await eventually(() => areTried(1, 3))
    // The first waits are over, the second ones are not.
    await clock.advance(6000)
    await eventually(() => started.length === 6)
    for (const name of ['a', 'b']) await end(name, failure('NO_PROVIDERS'))
    await eventually(() => areTried(2, 2))
    await clock.advance(500)
    const replayed = replaying.replayAll(AbortSignal.timeout(20_000))
    for (const name of ['a', 'b'])
      await eventually(() => started.filter(other => other === name).length === 3)
    await end('a')
    await end('b', failure('NO_PROVIDERS'))
    // The third began before, and failed for what is over: it has another try at once.
    await end('c', failure('NO_PROVIDERS'))
    await end('c')
    expect(await replayed).toBe(2)
    expect(await left()).toEqual(['b'])
    await replaying.stop()
  })

  it('that began before a peer came is tried soon after it failed', async () => {
    const { clock, replaying, started, connect, end } = await node(['a'])
    connect('peer')
    for (let tries = 0; tries < 4; tries++) {
      await end('a', failure('NO_PROVIDERS'))
      await clock.advance(60_000, 1000)
      await eventually(() => started.length === tries + 2)
    }
    connect('another')
    await end('a', failure('NO_PROVIDERS'))
    await clock.advance(6000)
    await eventually(() => started.length === 6)
    await replaying.stop()
  })

  it('stops being waited for when the time for that is over', async () => {
    const { replaying, connect, end } = await node(['a'])
    connect('peer')
    await end('a', failure('NO_PROVIDERS'))
    expect(await replaying.replayAll(AbortSignal.timeout(50))).toBe(0)
    await replaying.stop()
  })

  it('stays when the daemon stops in the middle of it', async () => {
    const { replaying, operations, running, connect, left } = await node(['a'])
    connect('peer')
    await eventually(() => running.has('a'))
    await replaying.stop()
    await operations.close(AbortSignal.timeout(1000))
    expect(await left()).toEqual(['a'])
  })

  it('is not begun twice when the node was paused meanwhile', async () => {
    const { clock, replaying, started, running, connect, end, left } = await node(['a'])
    connect('peer')
    await eventually(() => running.has('a'))
    await replaying.pause()
    replaying.resume()
    await clock.advance(1000)
    expect(started).toEqual(['a'])
    await end('a')
    await eventually(async () => (await left()).length === 0)
    await replaying.stop()
  })
})
