import { expect, it } from 'vitest'
import { KIB, MIB } from '../../../base/index.ts'
import { Receives } from '../../../library/worker/receives.ts'
import type { Scheduler } from '../../../library/worker/scheduler.ts'
import { blocks, Machine } from '../content/machine.ts'

const scheduler = {
  run: (_: string, task: (slice: object) => Promise<unknown>) => task({ due: () => false })
} as unknown as Scheduler
const never = new AbortController().signal

it('takes no more once a stage was rolled back: whoever fetches would draw the rest in vain', async () => {
  const { store } = await new Machine().open(12 * MIB)
  const receives = new Receives({ scheduler })
  const write = async (): Promise<number> => {
    for (let batch = 0; batch < 100; batch++) {
      await receives.write(1, blocks(8 * batch, 8, 250 * KIB), store, never)
      await new Promise(setImmediate)
    }
    return 100
  }
  await expect(write()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  expect(store.tail.totalBytes).toBeLessThanOrEqual(12 * MIB)
  await expect(receives.end(1, store)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  // Another receive is not to blame.
  await receives.write(2, blocks(5000, 1, KIB), store, never)
  await receives.end(2, store)
})
