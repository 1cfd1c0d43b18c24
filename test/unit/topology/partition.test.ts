/** What is a partition, and what becomes of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { others, SILENCE_MS, TICK_MS, World } from './partition-world.ts'

describe('a partition', () => {
  it('that cuts this node off is noticed without anybody to ask, and heals when half of the peers are back', () => {
    const world = new World(5)
    const cutMs = world.nowMs
    world.pass(SILENCE_MS)
    world.lose(world.peers)
    world.pass(TICK_MS)
    expect(world.name).toBe('suspected')
    world.pass(2 * SECOND_MS)
    expect(world.detector.state).toMatchObject({ name: 'partitioned', lost: 5, of: 5, isCutOff: true })
    expect(world.detector.state.reasons.join()).toMatch(/5 of 5 peers fell silent.*cut off/)
    expect(world.nowMs - cutMs).toBeLessThanOrEqual(15 * SECOND_MS)
    world.pass(MINUTE_MS)
    world.come(world.peers.slice(0, 2))
    world.pass(SECOND_MS)
    expect(world.name).toBe('partitioned')
    world.come(world.peers.slice(2, 3))
    world.pass(SECOND_MS)
    expect(world.name).toBe('healing')
    world.pass(SECOND_MS)
    expect(world.heal()).toEqual({
      kind: 'partitioned',
      sinceMs: cutMs,
      noticedAfterMs: 10 * SECOND_MS,
      lastedMs: 10 * SECOND_MS + MINUTE_MS,
      healedInMs: 3 * SECOND_MS,
      lostPeers: 5,
      returnedPeers: 3,
      syncedLibraries: 2,
      replayedOperations: 1
    })
    expect(world.detector.state).toMatchObject({ name: 'whole', lost: 0, reasons: [] })
  })

  it('of a part is one when those who are left do not reach the others either', () => {
    const world = new World(6)
    world.lose(world.peers.slice(0, 2))
    world.pass(SECOND_MS)
    expect(world.name).toBe('suspected')
    world.detector.judged(others(['peer0', 'peer1']))
    world.pass(2 * SECOND_MS)
    expect(world.detector.state).toMatchObject({ name: 'partitioned', lost: 2, of: 6, isCutOff: false })
    expect(world.detector.state.reasons.join()).toMatch(/3 votes/)
  })

  it('is none when others reach them: the way from here is broken', () => {
    const world = new World(6)
    world.lose(world.peers.slice(0, 4))
    world.pass(SECOND_MS)
    world.detector.judged(others(['peer0'], ['peer1', 'peer2']))
    world.pass(TICK_MS)
    expect(world.name).toBe('whole')
    world.pass(MINUTE_MS)
    expect(world.name, 'and it stays so').toBe('whole')
  })

  it('counts those that others reach for nothing, and the rest if it is still much', () => {
    const world = new World(6)
    world.lose(world.peers.slice(0, 3))
    world.pass(SECOND_MS)
    world.detector.judged(others(['peer0', 'peer1'], ['peer2']))
    world.pass(2 * SECOND_MS)
    expect(world.detector.state).toMatchObject({ name: 'partitioned', lost: 2, of: 5 })
  })

  it.each([
    [3, 'whole'],
    [4, 'partitioned']
  ])('of which nobody knows anything is one from a half on: %d of 8', (lost, name) => {
    const world = new World(8)
    world.lose(world.peers.slice(0, lost))
    world.pass(SECOND_MS)
    world.detector.judged(others([]))
    expect(world.name).toBe('suspected')
    world.pass(6 * SECOND_MS)
    expect(world.name).toBe(name)
  })

  it('goes on when the way back breaks again, and is told as one', () => {
    const world = new World(4)
    const cutMs = world.nowMs - SILENCE_MS
    world.lose(world.peers)
    world.pass(5 * SECOND_MS)
    for (let flap = 0; flap < 3; flap++) {
      world.come(world.peers)
      world.pass(SECOND_MS)
      expect(world.name).toBe('healing')
      world.lose(world.peers)
      world.pass(SECOND_MS)
      expect(world.name).toBe('partitioned')
      expect(world.heal(), 'nothing has healed').toBeUndefined()
    }
    world.come(world.peers)
    world.pass(SECOND_MS)
    expect(world.heal()).toMatchObject({
      sinceMs: cutMs,
      lostPeers: 4,
      returnedPeers: 4,
      healedInMs: SECOND_MS
    })
  })

  it('heals when this node finds enough others', () => {
    const world = new World(4)
    world.lose(world.peers)
    world.pass(5 * SECOND_MS)
    world.come(Array.from({ length: 9 }, (_, at) => `new${at}`))
    world.pass(4 * SECOND_MS)
    expect(world.name).toBe('partitioned')
    world.pass(2 * SECOND_MS)
    expect(world.name).toBe('healing')
  })

  it.each([
    [2, 4, [true, false]],
    [3, 6, [true, false]],
    [2, 3, [true, true]],
    [4, 6, [true, true]]
  ])('of %d of %d peers is frozen until the majority takes over, and only it does', (lost, of, frozen) => {
    const world = new World(of)
    const gone = world.peers.slice(0, lost)
    world.lose(gone)
    world.pass(SECOND_MS)
    world.detector.judged(others(gone))
    world.pass(14 * MINUTE_MS)
    const before = world.detector.state.isFrozen
    world.pass(2 * MINUTE_MS)
    const { name, isFrozen, reasons } = world.detector.state
    expect([name, [before, isFrozen]]).toEqual(['partitioned', frozen])
    expect(/majority/.test(reasons.join())).toBe(!isFrozen)
    world.come(gone)
    world.pass(SECOND_MS)
    expect(world.detector.state, 'until all is synced').toMatchObject({ name: 'healing', isFrozen: true })
  })

  it('of which the way back broke again is frozen for as long once more', () => {
    const world = new World(6)
    const gone = world.peers.slice(0, 2)
    world.lose(gone)
    world.pass(SECOND_MS)
    world.detector.judged(others(gone))
    world.pass(14 * MINUTE_MS)
    world.come(gone)
    world.pass(SECOND_MS)
    world.lose(gone)
    world.pass(14 * MINUTE_MS)
    expect(world.detector.state).toMatchObject({ name: 'partitioned', isFrozen: true })
    world.pass(2 * MINUTE_MS)
    expect(world.detector.isFrozen).toBe(false)
  })

  it('is given up after an hour: who stays away for so long is gone', () => {
    const world = new World(6)
    world.lose(world.peers.slice(0, 3))
    world.pass(SECOND_MS)
    world.detector.judged(others(['peer0', 'peer1', 'peer2']))
    world.pass(HOUR_MS - MINUTE_MS)
    expect(world.name).toBe('partitioned')
    world.pass(2 * MINUTE_MS)
    expect(world.detector.state).toMatchObject({ name: 'whole', reasons: [] })
    expect(world.detector.lost).toEqual([])
  })
})

describe('on a machine that is very busy a partition is noticed', () => {
  it('though this node stood still again and again since peers were lost', () => {
    const world = new World(11)
    world.nowMs += 3 * SECOND_MS
    world.detector.tick(world.nowMs)
    world.lose(world.peers.slice(0, 4))
    for (let time = 0; time < 3; time++) {
      world.pass(7 * SECOND_MS)
      world.nowMs += 3 * SECOND_MS
      world.detector.tick(world.nowMs)
    }
    world.pass(11 * SECOND_MS)
    expect(world.name).toBe('suspected')
  })

  it('though nobody who is left answers at first', () => {
    const world = new World(11)
    const lost = world.peers.slice(0, 4)
    world.lose(lost)
    world.pass(20 * SECOND_MS)
    expect(world.name).toBe('suspected')
    world.detector.judged(others(lost))
    world.pass(SECOND_MS)
    expect(world.name).toBe('partitioned')
  })

  it('but not where nobody ever answers', () => {
    const world = new World(11)
    world.lose(world.peers.slice(0, 4))
    world.pass(31 * SECOND_MS)
    expect(world.name).toBe('whole')
  })
})

describe('whatever happens', () => {
  const steps = fc.array(
    fc.record({
      peer: fc.nat(9),
      what: fc.constantFrom('silent', 'back', 'left', 'hung up' as const),
      afterMs: fc.integer({ min: 0, max: 30 * SECOND_MS })
    }),
    { maxLength: 40 }
  )

  it('one peer that is slow, silent and back again alarms nobody', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10 }), steps, (count, each) => {
        const world = new World(count)
        for (const { what, afterMs } of each) {
          act(world, 'peer0', what)
          world.pass(afterMs)
          expect(world.name).toBe('whole')
        }
      }),
      { numRuns: 60 }
    )
  })

  it('less than a third alarms nobody, whatever liars say', () => {
    const judgement = fc.record({
      silent: fc.subarray(['peer0', 'peer1', 'peer2', 'peer3']),
      reached: fc.subarray(['peer4', 'peer5']),
      votes: fc.nat(3)
    })
    fc.assert(
      fc.property(steps, judgement, (each, said) => {
        const world = new World(10)
        for (const { peer, what, afterMs } of each) {
          act(world, `peer${peer % 3}`, what === 'back' ? 'back' : 'silent')
          world.detector.judged(said)
          world.pass(afterMs)
          expect(world.name).toBe('whole')
        }
      }),
      { numRuns: 60 }
    )
  })

  it('a state is what it says, and nothing is lost while it is whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), steps, (count, each) => {
        const world = new World(count)
        for (const { peer, what, afterMs } of each) {
          act(world, `peer${peer % count}`, what)
          world.pass(afterMs)
          const { name, lost, of, reasons, sinceMs } = world.detector.state
          expect(lost).toBeLessThanOrEqual(of)
          expect(sinceMs).toBeLessThanOrEqual(world.nowMs)
          expect(reasons.length > 0).toBe(name !== 'whole')
          if (name === 'whole') expect(world.detector.lost).toEqual([])
          if (name === 'healing' && afterMs % 2 === 0) {
            const report = world.heal()!
            expect(report.lastedMs).toBeGreaterThanOrEqual(0)
            expect(report.healedInMs).toBeGreaterThanOrEqual(0)
            expect(report.returnedPeers).toBeLessThanOrEqual(report.lostPeers)
            expect(world.name).toBe('whole')
          }
        }
      }),
      { numRuns: 100 }
    )
  })
})

function act(world: World, peer: string, what: string): void {
  if (what === 'silent') world.lose([peer])
  else if (what === 'back') world.come([peer])
  else if (what === 'left') world.detector.left(peer)
  else world.detector.went(peer, world.nowMs)
}
