import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { type LateSourceModules, lateSources } from '../../../node/services/late-sources.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { asGiven } from './as-given.ts'

const RECORD = { id: { toString: () => 'the-id' }, release: { name: 'late' } } as unknown as ReleaseRecord

describe('sources that are found late', () => {
  const world = () => {
    const clock = new ManualClock()
    const asked: string[] = []
    const state = {
      connected: ['early', 'other'],
      holding: new Set<string>(),
      announced: [] as string[],
      asked
    }
    const network: LateSourceModules['network'] = {
      connected: () => state.connected,
      async *holders() {
        if (state.announced.length === 0) throw new CatalogError('NO_PROVIDERS', 'nobody')
        for (const peerId of state.announced) yield { peerId, source: 'dht', ageMs: 0 }
      },
      record: async (_id, peerId) => {
        asked.push(peerId)
        if (peerId === 'broken') throw new CatalogError('TIMEOUT', 'no answer')
        return state.holding.has(peerId) ? { record: RECORD, statements: [] } : undefined
      }
    }
    const stop = new AbortController()
    const found: string[] = []
    const run = (async () => {
      const modules = { network, topology: asGiven, clock, logger: silentLogger as never }
      for await (const peerId of lateSources(modules, RECORD, ['early'], stop.signal)) found.push(peerId)
    })()
    return { clock, state, found, stop, run }
  }

  it('are connected peers that have it now or later, each told once, and never those that are known', async () => {
    const { clock, state, found, stop, run } = world()
    await clock.advance(3000)
    expect(state.asked).toEqual(['other'])
    state.connected = ['early', 'other', 'broken', 'new']
    state.holding.add('other').add('new').add('early')
    await clock.advance(2000)
    expect(found).toEqual(['new'])
    await clock.advance(10_000)
    expect(found).toEqual(['new', 'other'])
    expect(state.asked.filter(peerId => peerId === 'broken').length).toBeLessThanOrEqual(2)
    stop.abort(new Error('over'))
    await expect(run).rejects.toThrow('over')
  })

  it('are those who announce the name, looked for now and then', async () => {
    const { clock, state, found, stop, run } = world()
    state.announced = ['far', 'early']
    state.holding.add('far')
    await clock.advance(20_000)
    expect(found).toEqual([])
    await clock.advance(15_000)
    expect(found).toEqual(['far'])
    stop.abort(new Error('over'))
    await expect(run).rejects.toThrow('over')
  })
})
