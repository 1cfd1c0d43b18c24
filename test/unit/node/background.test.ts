import { expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { Background } from '../../../node/background.ts'
import { OperationManager } from '../../../node/operations.ts'
import { eventually } from '../../eventually.ts'

const later = () => new Promise(resolve => setImmediate(resolve))

/** A node with unfinished fetches, each of which ends when told to. */
function node(count: number, maxRunning: number) {
  const ids = Array.from({ length: count }, (_, i) => `job-${i}`)
  const running = new Map<string, () => void>()
  const started: string[] = []
  const unfinished = new Set(ids)
  const background = new Background({
    network: {} as never,
    schedule: { due: async () => [] } as never,
    jobs: {
      unfinished: async () =>
        [...unfinished].map(id => ({
          id,
          name: id,
          version: '1.0.0',
          startedAt: 0,
          priority: 'low' as const
        })),
      isUnderWay: (id: string) => id === 'job-0'
    } as never,
    fetching: {
      fetch: ({ spec }: { spec: string }) =>
        new Promise<never>(resolve => {
          started.push(spec)
          running.set(spec, () => {
            running.delete(spec)
            unfinished.delete(spec)
            resolve({} as never)
          })
        })
    },
    operations: new OperationManager({ clock: systemClock }, { maxRunning }),
    clock: { ...systemClock, wait: later as never },
    logger: silentLogger
  })
  return { background, running, started, ids }
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
