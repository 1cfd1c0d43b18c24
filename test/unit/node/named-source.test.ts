import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { lookUp } from '../../../node/services/lookup.ts'
import { notAt, onlyPeer } from '../../../node/services/named-source.ts'
import type { Network } from '../../../node/services/network.ts'
import { asGiven } from './as-given.ts'

const signal = new AbortController().signal

/** What a fetch from `p1` says after this failure. */
const told = (spec: string, thrown: unknown): CatalogError => notAt('p1', spec, thrown) as CatalogError

/** How looking a name up at `p1` alone fails, when it answers so. */
async function lookUpFailure(releases: () => Promise<never>): Promise<unknown> {
  const network = onlyPeer({ releases } as unknown as Network, 'p1')
  const registry = { async *entries() {} }
  const modules = { network, topology: asGiven, registry, clock: systemClock, logger: silentLogger }
  return await lookUp(modules, { name: 'demo' }, signal).then(
    () => expect.fail('it was found'),
    thrown => thrown
  )
}

describe('a fetch from one peer that fails', () => {
  it('says that it was not found there, and what to do', async () => {
    const error = told('demo', await lookUpFailure(async () => ({ releases: [], statements: [] }) as never))
    expect(error).toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      message: 'demo was not found at p1, the only peer that was asked',
      hint: expect.stringContaining('leave --from out'),
      details: { name: 'demo', peerId: 'p1' }
    })
  })

  it('says when the peer did not answer', async () => {
    const silent = await lookUpFailure(async () => {
      throw new CatalogError('TIMEOUT', 'no answer')
    })
    expect(told('demo', silent)).toMatchObject({
      code: 'TIMEOUT',
      message: 'p1, the only peer that was asked, did not say what it has of demo',
      hint: expect.stringContaining('try again')
    })
  })

  it('says which others it has', () => {
    const others = new CatalogError('RELEASE_NOT_FOUND', 'no version matches demo@1; there is 2.0.0', {
      details: { name: 'demo', versions: ['2.0.0'] }
    })
    expect(told('demo@1', others).message).toBe(
      'no version matches demo@1; there is 2.0.0 (only p1 was asked)'
    )
  })

  it.each([
    ['by its id', new CatalogError('RELEASE_NOT_FOUND', 'no record', { details: { id: 'x', asked: 1 } })],
    ['when only its content is not there', new CatalogError('NOT_FOUND', 'p1 answered: not known here')]
  ])('says that it was not found there, %s', (_, thrown) => {
    expect(told('x', thrown)).toMatchObject({
      code: 'RELEASE_NOT_FOUND',
      message: 'x was not found at p1, the only peer that was asked',
      cause: thrown
    })
  })

  it('leaves every other failure as it is', () => {
    for (const thrown of [new CatalogError('DISK_FULL', 'full'), new Error('odd'), signal])
      expect(notAt('p1', 'demo', thrown)).toBe(thrown)
  })
})
