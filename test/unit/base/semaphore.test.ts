import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Release, Semaphore } from '../../../base/index.ts'

const create = (maxActive: number, maxWaiting: number): Semaphore =>
  new Semaphore({ name: 'tests', maxActive, maxWaiting })

describe('Semaphore', () => {
  test('runs up to the limit, queues up to the other, refuses beyond', async () => {
    const semaphore = create(1, 1)
    const release = await semaphore.acquire()
    const second = semaphore.acquire()
    await expect(semaphore.acquire()).rejects.toMatchObject({
      code: 'BUSY',
      details: { name: 'tests', maxActive: 1, maxWaiting: 1 }
    })
    release()
    const releaseSecond = await second
    expect([semaphore.active, semaphore.waiting]).toEqual([1, 0])
    releaseSecond()
    expect(semaphore.active).toBe(0)
  })

  test('a release counts once', async () => {
    const semaphore = create(2, 0)
    const release = await semaphore.acquire()
    await semaphore.acquire()
    release()
    release()
    expect(semaphore.active).toBe(1)
  })

  test('an abort leaves the queue, and those behind move up', async () => {
    const semaphore = create(1, 2)
    const release = await semaphore.acquire()
    const abort = new AbortController()
    const second = semaphore.acquire(abort.signal)
    const third = semaphore.acquire()
    abort.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    expect(semaphore.waiting).toBe(1)
    release()
    await third
    expect(semaphore.active).toBe(1)
  })

  test('an abort after the place was given changes nothing', async () => {
    const semaphore = create(1, 1)
    const release = await semaphore.acquire()
    const abort = new AbortController()
    const second = semaphore.acquire(abort.signal)
    release()
    abort.abort()
    const releaseSecond = await second
    releaseSecond()
    expect(semaphore.active).toBe(0)
  })

  test('a task that throws gives its place back', async () => {
    const semaphore = create(1, 0)
    const task = (): never => {
      throw new Error('task')
    }
    await expect(semaphore.run(task)).rejects.toThrow('task')
    expect(await semaphore.run(() => 'next')).toBe('next')
  })
})

test('whatever the order of arrivals, departures and aborts: limits hold, nobody is lost, first come first served', async () => {
  const step = fc.constantFrom('acquire', 'release', 'abort')
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      async (steps, maxActive, maxWaiting) => {
        const semaphore = create(maxActive, maxWaiting)
        const held: Release[] = []
        const queue: { id: number; abort: AbortController }[] = []
        const order: number[] = []
        let arrivals = 0
        for (const kind of steps) {
          if (kind === 'acquire') {
            const id = arrivals++
            const abort = new AbortController()
            const fits = held.length < maxActive
            const waits = !fits && queue.length < maxWaiting
            if (waits) queue.push({ id, abort })
            const onPlace = (release: Release): void => {
              order.push(id)
              held.push(release)
            }
            void semaphore.acquire(abort.signal).then(onPlace, () => undefined)
          } else if (kind === 'abort') queue.pop()?.abort.abort()
          else {
            held.shift()?.()
            queue.shift()
          }
          await new Promise(setImmediate)
          expect(semaphore.active).toBe(held.length)
          expect(semaphore.waiting).toBe(queue.length)
          expect(semaphore.active).toBeLessThanOrEqual(maxActive)
        }
        expect(order).toEqual([...order].sort((a, b) => a - b))
      }
    ),
    { numRuns: 60 }
  )
})

test('with a higher limit those that wait come in at once, with a lower one nobody does until enough have left', async () => {
  const semaphore = new Semaphore({ name: 'places', maxActive: 1, maxWaiting: 9 })
  const held: Release[] = []
  for (let at = 0; at < 6; at++) void semaphore.acquire().then(release => held.push(release))
  const settled = async (): Promise<number[]> => {
    await new Promise(setImmediate)
    return [semaphore.active, semaphore.waiting, held.length]
  }
  expect(await settled()).toEqual([1, 5, 1])
  semaphore.maxActive = 4
  expect(await settled()).toEqual([4, 2, 4])
  semaphore.maxActive = 2
  expect(await settled()).toEqual([4, 2, 4])
  held[0]!()
  held[1]!()
  expect(await settled()).toEqual([2, 2, 4])
  expect(semaphore.tryAcquire()).toBeUndefined()
  held[2]!()
  expect(await settled()).toEqual([2, 1, 5])
  expect(() => {
    semaphore.maxActive = 0
  }).toThrow()
})
