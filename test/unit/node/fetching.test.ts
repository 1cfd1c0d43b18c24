import { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, systemClock } from '../../../base/index.ts'
import { OperationManager } from '../../../node/operations.ts'
import type { FetchJob } from '../../../node/services/fetch-jobs.ts'
import type { ContentFetched, ContentWatch } from '../../../node/services/network.ts'
import { eventually } from '../../eventually.ts'
import {
  context,
  FETCHED,
  fetching,
  KEY,
  later,
  newWorld,
  nowMs,
  record,
  sha256,
  world
} from './fetching-world.ts'

beforeEach(newWorld)

describe('fetching', () => {
  it('takes the highest version that anybody holds, from those who hold it', async () => {
    const newer = record('1.1.0', KEY, CID.createV1(0x55, sha256('newer')))
    world.peers = { p1: [record('1.0.0')], p2: [record('1.0.0'), newer] }
    const result = await fetching().fetch({ spec: 'demo@^1.0.0' }, context())
    expect(result).toMatchObject({ version: '1.1.0', bytesFetched: 10 })
    expect(world.transfers).toEqual([['p2']])
    expect(world.jobs.size).toBe(0)
  })

  it('draws from the ten best of those who hold it, the best one first', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `p${String(at).padStart(2, '0')}`)
    world.peers = Object.fromEntries(names.map(name => [name, [record('1.0.0')]]))
    world.order = found => found.toSorted().reverse()
    await fetching().fetch({ spec: 'demo' }, context())
    expect(world.transfers).toEqual([names.toReversed().slice(0, 10)])
  })

  it('asks nobody for content that is here', async () => {
    world.local = [record('1.0.0')]
    world.complete = true
    const result = await fetching().fetch({ spec: 'demo' }, context())
    expect(result).toMatchObject({ bytesFetched: 0, bytesReused: 10, sources: [] })
    expect(world.transfers).toEqual([])
  })

  it('uses what is here when the network cannot be asked', async () => {
    world.local = [record('1.0.0')]
    world.complete = true
    expect((await fetching().fetch({ spec: 'demo@>=1' }, context())).version).toBe('1.0.0')
    await expect(fetching().fetch({ spec: 'demo@2.0.0' }, context())).rejects.toMatchObject({
      code: 'NO_PROVIDERS'
    })
    world.local = []
    await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({
      code: 'NO_PROVIDERS'
    })
  })

  it('is as urgent as the most urgent of those who wait for it', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const service = fetching()
    const urgency: Array<string | undefined> = []
    const ended = Promise.withResolvers<ContentFetched>()
    const watched = Promise.withResolvers<ContentWatch>()
    world.transfer = (_attempt, _signal, watch) => {
      watched.resolve(watch)
      return ended.promise
    }
    const leaving = new AbortController()
    const low = service.fetch({ spec: 'demo', priority: 'low' }, context())
    const watch = await watched.promise
    urgency.push(watch.priority?.())
    expect([...world.jobs.values()]).toMatchObject([{ priority: 'low' }])
    const critical = service.fetch({ spec: 'demo', priority: 'critical' }, context(leaving.signal))
    await eventually(() => watch.priority?.() !== 'low')
    urgency.push(watch.priority?.())
    leaving.abort(new Error('left'))
    await expect(critical).rejects.toThrow('left')
    urgency.push(watch.priority?.())
    ended.resolve(FETCHED)
    await low
    expect(urgency).toEqual(['low', 'critical', 'low'])
    expect(world.transfers).toHaveLength(1)
  })

  it('looks up anew after all sources failed, and gives up after its rounds', async () => {
    world.peers = { p1: [record('1.0.0')] }
    world.transfer = async attempt => {
      if (attempt < 3) throw new CatalogError('STREAM_TRUNCATED', 'cut')
      return FETCHED
    }
    expect((await fetching().fetch({ spec: 'demo' }, context())).bytesFetched).toBe(10)
    expect(world.transfers).toHaveLength(3)
    world.transfers = []
    world.transfer = async () => {
      throw new CatalogError('BYTES_WRONG', 'lies')
    }
    await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    expect(world.transfers).toHaveLength(3)
    expect(world.jobs.size).toBe(0)
  })

  it('looks again for a source that is gone before it asks anew, and for nobody who is here', async () => {
    world.peers = { p1: [record('1.0.0')], p2: [record('1.0.0')] }
    world.transfer = async attempt => {
      world.gone = new Set(attempt === 1 ? ['p1'] : [])
      if (attempt < 3) throw new CatalogError('STREAM_TRUNCATED', 'cut')
      return FETCHED
    }
    await fetching().fetch({ spec: 'demo' }, context())
    expect(world.soughtAgain).toEqual([['p1']])
  })

  it('goes on for two minutes after the last byte when its sources went away, and then gives up', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const bytesFetched = (bytes: number) => ({
      phase: 'files',
      bytesDone: bytes,
      bytesTotal: 10,
      itemsDone: 0,
      itemsTotal: 1,
      bytesFetched: bytes
    })
    const from = nowMs
    world.transfer = async (attempt, _signal, watch) => {
      // Nobody is connected while the link is away.
      world.peers = nowMs - from < 40_000 ? {} : { p1: [record('1.0.0')] }
      if (attempt === 1) watch.onProgress(bytesFetched(5))
      if (nowMs - from < 40_000) throw new CatalogError('DIAL_FAILED', 'the link is away')
      return FETCHED
    }
    expect((await fetching().fetch({ spec: 'demo' }, context())).bytesFetched).toBe(10)
    expect(new Set(world.transfers.flat())).toEqual(new Set(['p1']))

    const again = nowMs
    world.transfers = []
    world.transfer = async (attempt, _signal, watch) => {
      if (attempt < 3) watch.onProgress(bytesFetched(attempt))
      throw new CatalogError('STREAM_TRUNCATED', 'cut')
    }
    await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({
      code: 'STREAM_TRUNCATED'
    })
    expect(nowMs - again).toBeGreaterThan(115_000)
    expect(nowMs - again).toBeLessThan(135_000)

    // Who lies is not waited for, even after it gave something.
    world.transfers = []
    world.transfer = async (_attempt, _signal, watch) => {
      watch.onProgress(bytesFetched(5))
      throw new CatalogError('BYTES_WRONG', 'lies')
    }
    await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    expect(world.transfers).toHaveLength(3)
  })

  it('does not try again what no other source could do better', async () => {
    world.peers = { p1: [record('1.0.0')] }
    world.transfer = async () => {
      throw new CatalogError('DISK_FULL', 'full')
    }
    await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(world.transfers).toHaveLength(1)
  })

  it('refuses what would not fit, before it asks for a byte', async () => {
    world.peers = { p1: [record('1.0.0')] }
    await expect(fetching(false).fetch({ spec: 'demo' }, context())).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED'
    })
    expect(world.transfers).toEqual([])
    expect((await fetching(true).fetch({ spec: 'demo' }, context())).bytesFetched).toBe(10)
  })

  it('transfers a content once for all who want it', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const { promise, resolve } = Promise.withResolvers<ContentFetched>()
    world.transfer = () => promise
    const one = fetching()
    const all = Promise.all([1, 2, 3].map(() => one.fetch({ spec: 'demo' }, context())))
    await later()
    resolve(FETCHED)
    expect((await all).map(result => result.bytesFetched)).toEqual([10, 10, 10])
    expect(world.transfers).toHaveLength(1)
  })

  it('asks others when the source that somebody else has named could not give it', async () => {
    world.peers = { p1: [record('1.0.0')], p2: [record('1.0.0')] }
    const failing = Promise.withResolvers<ContentFetched>()
    world.transfer = attempt => (attempt <= 3 ? failing.promise : Promise.resolve(FETCHED))
    const one = fetching()
    const named = one.fetch({ spec: 'demo', from: 'p1' }, context())
    await eventually(() => world.transfers.length === 1)
    const any = one.fetch({ spec: 'demo' }, context())
    await later()
    failing.reject(new CatalogError('PEER_REFUSED', 'not for you'))
    await expect(named).rejects.toMatchObject({ code: 'PEER_REFUSED' })
    expect((await any).bytesFetched).toBe(10)
    expect(world.transfers.map(sources => sources.length)).toEqual([1, 1, 1, 2])
  })

  it('lets fetches beyond what is transferred at once wait, with their job written down', async () => {
    const { promise, resolve } = Promise.withResolvers<ContentFetched>()
    world.transfer = () => promise
    const contents = Array.from({ length: 70 }, (_, i) => CID.createV1(0x55, sha256(`content ${i}`)))
    world.peers = { p1: contents.map((content, i) => record(`1.0.${i}`, KEY, content)) }
    const one = fetching()
    const all = Promise.all(contents.map((_, i) => one.fetch({ spec: `demo@1.0.${i}` }, context())))
    await eventually(() => world.jobs.size >= 70)
    expect(world.transfers).toHaveLength(64)
    expect(one.active).toBe(70)
    resolve(FETCHED)
    expect(await all).toHaveLength(70)
  })

  it('withdraws the job of a fetch that is cancelled, and keeps that of one that a stop cuts off', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const started = Promise.withResolvers<void>()
    world.transfer = (_attempt, signal) =>
      new Promise((_resolve, reject) => {
        started.resolve()
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const cancel = new AbortController()
    const cancelled = fetching().fetch({ spec: 'demo' }, context(cancel.signal))
    await started.promise
    expect(world.jobs.size).toBe(1)
    cancel.abort(new CatalogError('ABORTED', 'cancelled'))
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    await later()
    expect(world.jobs.size).toBe(0)

    const stopping = fetching()
    const stop = new AbortController()
    const cutOff = stopping.fetch({ spec: 'demo' }, context(stop.signal))
    await later()
    stopping.stop()
    stop.abort(new CatalogError('SHUTTING_DOWN', 'stopping'))
    await expect(cutOff).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await later()
    expect(world.jobs.size).toBe(1)
  })

  it('has the job of a fetch that waits for room written down', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const room = Promise.withResolvers<void>()
    const stopping = fetching(room.promise)
    const stop = new AbortController()
    const cutOff = stopping.fetch({ spec: 'demo' }, context(stop.signal))
    await eventually(() => world.jobs.size === 1)
    expect(world.transfers).toEqual([])
    stopping.stop()
    stop.abort(new CatalogError('SHUTTING_DOWN', 'stopping'))
    await expect(cutOff).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(world.jobs.size).toBe(1)
    const job = [...world.jobs.values()][0]!
    await expect(fetching(false).resume(job, context())).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    expect(world.jobs.size).toBe(1)
    room.resolve()
    await fetching(room.promise).resume(job, context())
    expect(world.jobs.size).toBe(0)
  })

  it('keeps the job of a fetch that it goes on with while nobody gives it, and of no other', async () => {
    const wanted = record('1.0.0')
    const id = wanted.id.toString()
    const job: FetchJob = { id, name: 'demo', version: '1.0.0', startedAt: 1, priority: 'low' }
    world.local = [wanted]
    world.isAlone = true
    await expect(fetching().resume(job, context())).rejects.toMatchObject({ code: 'NO_PEERS' })
    expect([...world.jobs.keys()]).toEqual([id])
    expect(world.left).toEqual([id])
    await expect(fetching().fetch({ spec: id }, context())).rejects.toMatchObject({ code: 'NO_PEERS' })
    expect(world.jobs.size).toBe(0)
    world.isAlone = false
    world.peers = { p1: [wanted] }
    world.transfer = async () => {
      throw new CatalogError('CONTENT_INVALID', 'it makes no sense')
    }
    await expect(fetching().resume(job, context())).rejects.toMatchObject({ code: 'CONTENT_INVALID' })
    expect(world.jobs.size).toBe(0)
  })

  it('is an operation whose end survives its client', async () => {
    world.peers = { p1: [record('1.0.0')] }
    const operations = new OperationManager({ clock: systemClock }, { maxRunning: 1 })
    const one = fetching()
    const { id } = operations.start('fetch', 'r', work => one.fetch({ spec: 'demo' }, work))
    expect(await operations.wait(id, 1000)).toMatchObject({ state: 'done', result: { version: '1.0.0' } })
  })

  it('asks only the peer that was named', async () => {
    world.peers = { p1: [record('1.0.0')], p2: [record('2.0.0')] }
    expect((await fetching().fetch({ spec: 'demo', from: 'p1' }, context())).version).toBe('1.0.0')
    expect(world.transfers).toEqual([['p1']])
    Object.assign(world, { local: [], peers: { ...world.peers, p1: [] } })
    const message = 'demo was not found at p1, the only peer that was asked'
    const empty = fetching().fetch({ spec: 'demo', from: 'p1' }, context())
    await expect(empty).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND', message })
  })

  it('finds a record by its id through the DHT, and says so when nobody has it', async () => {
    const wanted = record('1.0.0')
    world.peers = { p1: [] }
    world.unconnected = { far: [wanted] }
    const result = await fetching().fetch({ spec: wanted.id.toString() }, context())
    expect(result.id).toBe(wanted.id.toString())
    expect(world.transfers).toEqual([['far']])
    world.local = []
    await expect(
      fetching().fetch({ spec: wanted.id.toString(), from: 'p1' }, context())
    ).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' })
    world.local = []
    world.unconnected = {}
    await expect(fetching().fetch({ spec: wanted.id.toString() }, context())).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      details: { asked: 1 }
    })
  })

  it('finds a record by its id at connected peers', async () => {
    const wanted = record('1.0.0')
    world.peers = { p1: [], p2: [wanted] }
    const result = await fetching().fetch({ spec: wanted.id.toString() }, context())
    expect(result.id).toBe(wanted.id.toString())
  })
})
