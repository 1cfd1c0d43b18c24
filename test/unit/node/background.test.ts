import { expect, it } from 'vitest'
import { CatalogError, DAY_MS, silentLogger, systemClock } from '../../../base/index.ts'
import { Background } from '../../../node/background.ts'
import { OperationManager } from '../../../node/operations.ts'
import { eventually } from '../../eventually.ts'

const later = () => new Promise(resolve => setImmediate(resolve))

/** A wait that is over at once. */
const hasty = async (_ms: number, signal?: AbortSignal): Promise<void> => {
  signal?.throwIfAborted()
  await later()
}

/** A node with unfinished fetches, each of which ends when told to: well, or because nobody was there. */
function node(count: number, maxRunning: number, startedAt = systemClock.now()) {
  const ids = Array.from({ length: count }, (_, i) => `job-${i}`)
  const running = new Map<string, (error?: CatalogError) => void>()
  const started: string[] = []
  const unfinished = new Set(ids)
  const background = new Background({
    network: { connected: () => [], onConnected: () => () => {} } as never,
    schedule: { due: async () => [] } as never,
    jobs: {
      unfinished: async () =>
        [...unfinished].map(id => ({
          id,
          name: id,
          version: '1.0.0',
          startedAt,
          priority: 'low' as const
        })),
      isUnderWay: (id: string) => id === 'job-0',
      end: async (id: string) => unfinished.delete(id)
    } as never,
    fetching: {
      resume: ({ id }) =>
        new Promise<never>((resolve, reject) => {
          started.push(id)
          running.set(id, error => {
            running.delete(id)
            if (error !== undefined) return reject(error)
            unfinished.delete(id)
            resolve({} as never)
          })
        })
    },
    operations: new OperationManager({ clock: systemClock }, { maxRunning }),
    clock: { ...systemClock, wait: hasty },
    logger: silentLogger
  })
  return { background, running, started, ids, unfinished }
}

it('goes on with every unfinished fetch, however many, but those under way', async () => {
  const { background, running, started, ids } = node(200, 10)
  background.start()
  while (started.length < 199) {
    await eventually(() => running.size > 0)
    expect(running.size).toBeLessThanOrEqual(10)
    for (const end of running.values()) end()
  }
  expect(started).toEqual(ids.slice(1))
  await background.stop()
})

it('does not start a fetch again that went on through a pause', async () => {
  const { background, running, started } = node(3, 10)
  background.start()
  await eventually(() => started.length === 2)
  await background.pause()
  background.resume()
  for (let i = 0; i < 10; i++) await later()
  expect(started).toEqual(['job-1', 'job-2'])
  for (const end of running.values()) end()
  await background.stop()
})

it('goes on again with a fetch whose sources were away, until it is whole', async () => {
  const { background, running, started, unfinished } = node(2, 10)
  background.start()
  for (let times = 1; times <= 3; times++) {
    await eventually(() => running.size === 1)
    expect(started).toEqual(Array(times).fill('job-1'))
    running.get('job-1')?.(times < 3 ? new CatalogError('NO_PEERS', 'alone') : undefined)
  }
  await eventually(() => unfinished.size === 1)
  for (let i = 0; i < 10; i++) await later()
  expect(started).toHaveLength(3)
  await background.stop()
})

it('gives up a fetch that was asked for more than a week ago', async () => {
  const { background, started, unfinished } = node(3, 10, systemClock.now() - 8 * DAY_MS)
  background.start()
  await eventually(() => unfinished.size === 1)
  expect([...unfinished]).toEqual(['job-0'])
  expect(started).toEqual([])
  await background.stop()
})
