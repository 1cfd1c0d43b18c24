import { describe, expect, it } from 'vitest'
import { CatalogError, type Clock } from '../../../base/index.ts'
import { type Operation, OperationManager, type OperationOptions } from '../../../node/operations.ts'
import { currentRequestId } from '../../../node/request-context.ts'

/** A clock that stands until it is moved. */
class ManualClock implements Clock {
  ms = 1_000_000
  readonly #waits = new Set<{ atMs: number; done: () => void }>()
  now = (): number => this.ms
  monotonicMs = (): number => this.ms
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#waits.add({ atMs: this.ms + ms, done: resolve })
    })
  }
  move(ms: number): void {
    this.ms += ms
    for (const wait of this.#waits) if (wait.atMs <= this.ms) wait.done()
  }
}

function manager(options: Partial<OperationOptions> = {}): {
  clock: ManualClock
  operations: OperationManager
} {
  const clock = new ManualClock()
  return { clock, operations: new OperationManager({ clock }, { maxRunning: 10, ...options }) }
}

/** Work that ends when told to, or when cancelled. */
function held(): {
  work: (context: { signal: AbortSignal }) => Promise<object>
  finish: (result: object) => void
} {
  const { promise, resolve, reject } = Promise.withResolvers<object>()
  return {
    finish: resolve,
    work: ({ signal }) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      return promise
    }
  }
}

describe('operations', () => {
  it('ends with a result, and carries the request id inside', async () => {
    const { operations } = manager()
    const { id } = operations.start('fetch', 'req-1', async () => ({ seen: currentRequestId() }))
    expect(operations.get(id).state).toBe('running')
    const ended = await operations.wait(id, 1000)
    expect(ended).toMatchObject({ state: 'done', requestId: 'req-1', result: { seen: 'req-1' } })
    expect(ended.endedAt).toBeDefined()
  })

  it('fails with TIMEOUT after its time, and only then', async () => {
    const { clock, operations } = manager({ timeoutMs: 5000 })
    const [usual, longer, unlimited, quick] = [held(), held(), held(), held()]
    const first = operations.start('fetch', 'r', usual.work)
    const second = operations.start('fetch', 'r', longer.work, 9000)
    const third = operations.start('fetch', 'r', unlimited.work, 'unlimited')
    const fourth = operations.start('fetch', 'r', quick.work)
    quick.finish({ a: 1 })
    await operations.wait(fourth.id, 1000)
    clock.move(5000)
    expect(await operations.wait(first.id, 1000)).toMatchObject({
      state: 'failed',
      error: {
        code: 'TIMEOUT',
        message: expect.stringContaining('5 s'),
        details: { limitOf: 'operation' }
      }
    })
    expect([second, third, fourth].map(({ state }) => state)).toEqual(['running', 'running', 'done'])
    clock.move(4000)
    expect((await operations.wait(second.id, 1000)).state).toBe('failed')
    clock.move(1_000_000)
    expect(third.state).toBe('running')
    expect(operations.cancel(third.id)).toBe(third)
    expect((await operations.wait(third.id, 1000)).state).toBe('cancelled')
  })

  it('ends with an error that has a code', async () => {
    const { operations } = manager()
    const { id } = operations.start('fetch', 'r', async () => {
      throw new CatalogError('NO_PROVIDERS', 'nobody')
    })
    expect(await operations.wait(id, 1000)).toMatchObject({
      state: 'failed',
      error: { code: 'NO_PROVIDERS' }
    })
  })

  it('is cancelled, unless the work had already become irrevocable', async () => {
    const { operations } = manager()
    const first = operations.start('fetch', 'r', held().work)
    operations.cancel(first.id)
    expect(await operations.wait(first.id, 1000)).toMatchObject({
      state: 'cancelled',
      error: { code: 'ABORTED' }
    })
    const { promise, resolve } = Promise.withResolvers<object>()
    const second = operations.start('publish', 'r', () => promise)
    operations.cancel(second.id)
    resolve({ published: true })
    expect(await operations.wait(second.id, 1000)).toMatchObject({ state: 'done' })
  })

  it('answers a long-poll after its time with what there is', async () => {
    const { clock, operations } = manager()
    const { work } = held()
    const { id } = operations.start('fetch', 'r', work)
    const waiting = operations.wait(id, 5000)
    clock.move(5000)
    expect((await waiting).state).toBe('running')
  })

  it('refuses more than its limit, and gives the place back', async () => {
    const { operations } = manager({ maxRunning: 1 })
    const first = held()
    const { id } = operations.start('fetch', 'r', first.work)
    expect(() => operations.start('fetch', 'r', held().work)).toThrow(
      expect.objectContaining({ code: 'BUSY' })
    )
    first.finish({})
    await operations.wait(id, 1000)
    operations.start('fetch', 'r', held().work)
  })

  it('forgets finished ones by age and by number', async () => {
    const { clock, operations } = manager({ keepMs: 1000, maxFinished: 2 })
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      const { id } = operations.start('verify', 'r', async () => ({}))
      await operations.wait(id, 1000)
      ids.push(id)
    }
    expect(operations.list().map(operation => operation.id)).toEqual([ids[2], ids[1]])
    expect(() => operations.get(ids[0]!)).toThrow(expect.objectContaining({ code: 'OPERATION_NOT_FOUND' }))
    clock.move(1001)
    expect(operations.list()).toEqual([])
  })

  it('tells of progress at most every 100 ms, and always of the end', async () => {
    const { clock, operations } = manager()
    const seen: string[] = []
    const { promise, resolve } = Promise.withResolvers<object>()
    const { id } = operations.start('fetch', 'r', async ({ progress }) => {
      for (let i = 1; i <= 10; i++) {
        clock.move(30)
        progress({ phase: 'fetching', itemsDone: i })
      }
      return await promise
    })
    operations.watch(id, ({ state, progress }) => seen.push(`${state} ${progress.itemsDone}`))
    expect(operations.get(id).progress.itemsDone).toBe(10)
    resolve({})
    await operations.wait(id, 1000)
    expect(seen).toEqual(['done 10'])
  })

  it('throttles what watchers of all hear', () => {
    const { clock, operations } = manager()
    const seen: Array<number | undefined> = []
    operations.watchAll(({ progress }: Operation) => seen.push(progress.itemsDone))
    operations.start('fetch', 'r', async ({ progress }) => {
      for (let i = 1; i <= 10; i++) {
        clock.move(30)
        progress({ phase: 'fetching', itemsDone: i })
      }
      return await held().work({ signal: new AbortController().signal })
    })
    expect(seen).toEqual([undefined, 4, 8])
  })

  it('closes: starts nothing, waits, and cancels what remains when time is up', async () => {
    const { operations } = manager()
    const quick = held()
    const first = operations.start('fetch', 'r', quick.work)
    const second = operations.start('fetch', 'r', held().work)
    const deadline = new AbortController()
    const closing = operations.close(deadline.signal)
    expect(() => operations.start('fetch', 'r', quick.work)).toThrow(
      expect.objectContaining({ code: 'SHUTTING_DOWN' })
    )
    quick.finish({})
    deadline.abort()
    await closing
    expect(operations.get(first.id).state).toBe('done')
    expect(operations.get(second.id)).toMatchObject({ state: 'cancelled', error: { code: 'SHUTTING_DOWN' } })
  })
})
