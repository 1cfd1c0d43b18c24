import { afterEach, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { HeadRenewal } from '../../../node/services/head-renewal.ts'
import { RENEW_AFTER_MS } from '../../../sync/index.ts'
import { FakeClock } from '../discovery/fake-clock.ts'

const clock = new FakeClock()
const startMs = clock.now()
/** Hours after the start at which a head was signed, the first one a day before. */
const signedHours = [-24]
const errors: string[] = []
let isDiskFull = false

const logger = { ...silentLogger, error: ({ library }: { library: string }) => void errors.push(library) }
const ageMs = (): number => clock.now() - startMs - signedHours.at(-1)! * HOUR_MS
const home = { name: 'home', libraryId: 'home', access: 'public' }
const team = { name: 'team', libraryId: 'closed/team', access: 'restricted' }
/** Names of closed libraries whose lists were looked at. */
const lists: string[] = []
const sets = {
  access: {
    own: async () => [team, home] as never,
    renewAccess: async ({ name }: { name: string }) => {
      lists.push(name)
      throw new Error('one that fails keeps no other from it')
    }
  },
  state: async () => ({ isRenewalDue: ageMs() >= RENEW_AFTER_MS }) as never,
  renew: async () => {
    if (isDiskFull) throw new Error('no room')
    signedHours.push(Math.floor((clock.now() - startMs) / HOUR_MS))
    return undefined
  }
}
const renewal = new HeadRenewal({ sets, clock, logger })
afterEach(() => renewal.stop())

it('signs a head again when it is a day old, and tries again an hour after a failure', async () => {
  renewal.start()
  await clock.advance(MINUTE_MS - 1)
  expect(signedHours).toEqual([-24])
  await clock.advance(1)
  expect(signedHours).toEqual([-24, 0])
  expect(lists).toEqual(['team'])
  await clock.advance(3 * DAY_MS)
  expect(signedHours).toEqual([-24, 0, 24, 48, 72])
  isDiskFull = true
  errors.length = 0
  await clock.advance(DAY_MS + HOUR_MS)
  expect(errors.filter(library => library === 'home')).toHaveLength(2)
  isDiskFull = false
  await clock.advance(HOUR_MS)
  expect(signedHours.at(-1)).toBe(98)
})
