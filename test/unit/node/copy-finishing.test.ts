import { afterEach, expect, it } from 'vitest'
import { HOUR_MS, silentLogger } from '../../../base/index.ts'
import { CopyFinishing } from '../../../node/services/copy-finishing.ts'
import { FakeClock } from '../discovery/fake-clock.ts'

const clock = new FakeClock()
const startMs = clock.now()
/** Hours after the start. */
const triedHours: number[] = []
const errors: string[] = []

const logger = { ...silentLogger, error: (_: object, message: string) => void errors.push(message) }
const sets = {
  finishCopies: async () => {
    triedHours.push((clock.now() - startMs) / HOUR_MS)
    if (triedHours.length === 1) throw new Error('no room')
  }
}
const finishing = new CopyFinishing({ sets, clock, logger })
afterEach(() => finishing.stop())

it('finishes copies at once, and tries again an hour after a failure', async () => {
  finishing.start()
  await clock.advance(0)
  expect(triedHours).toEqual([0])
  expect(errors).toEqual(['a copy of a followed library could not be finished'])
  await clock.advance(HOUR_MS)
  expect(triedHours).toEqual([0, 1])
  expect(errors).toHaveLength(1)
})
