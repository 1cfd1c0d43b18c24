import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { lookUp } from '../../../node/services/lookup.ts'
import { asGiven } from './as-given.ts'

/** Looks a name up on a network whose search for holders ends with `error`. */
function lookUpWith(error: CatalogError) {
  const network = {
    connected: () => ['p1'],
    // biome-ignore lint/correctness/useYield: nobody is found
    async *holders() {
      throw error
    }
  }
  const modules = {
    network: network as never,
    topology: asGiven,
    registry: { async *entries() {} },
    clock: systemClock,
    logger: silentLogger
  }
  return lookUp(modules, { name: 'nosuch' }, new AbortController().signal)
}

describe('a look-up that finds nobody', () => {
  it('names what was sought, and thinks of its spelling', async () => {
    await expect(lookUpWith(new CatalogError('NO_PROVIDERS', 'nobody'))).rejects.toMatchObject({
      code: 'NO_PROVIDERS',
      message: 'nothing called "nosuch" is announced by anybody who could be asked',
      hint: expect.stringContaining('spelling'),
      details: { name: 'nosuch' }
    })
  })

  it('says when the answer is a remembered one', async () => {
    const error = new CatalogError('NO_PROVIDERS', 'nobody', { details: { retryAfterMs: 4000 } })
    await expect(lookUpWith(error)).rejects.toMatchObject({
      message: expect.stringContaining('(remembered; asked anew in 4'),
      details: { name: 'nosuch', retryAfterMs: 4000 }
    })
  })
})
