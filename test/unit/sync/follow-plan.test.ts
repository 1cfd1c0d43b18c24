import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_CLOCK_AHEAD_MS } from '../../../library/index.ts'
import { MAX_SESSIONS_PER_PEER } from '../../../protocols/index.ts'
import {
  awaitedFromMs,
  type FollowPlan,
  type FollowState,
  including,
  MAX_AHEAD_MS,
  MAX_RUNS,
  MAX_TELLERS,
  nextTime,
  planFollows,
  staleTime,
  telling,
  tellingBeside,
  yieldTime
} from '../../../sync/follow/follow-plan.ts'
import { HEAD_LIFETIME_MS, RENEW_AFTER_MS } from '../../../sync/index.ts'
import { NOW_MS } from '../records/examples.ts'

const state = (writer: string, over: Partial<FollowState> = {}): FollowState => ({
  library: `of ${writer}`,
  writer,
  runningWith: undefined,
  yieldsFromMs: Number.POSITIVE_INFINITY,
  dueMs: 1000,
  notBeforeMs: 0,
  staleFromMs: Number.POSITIVE_INFINITY,
  newerAt: new Map(),
  heldBy: new Set(),
  failedWith: [],
  ...over
})

/** Peers that told a head which counts already. */
const told = (...tellers: string[]): Map<string, number> => new Map(tellers.map(peer => [peer, 0]))

const idle = { busyUntilMs: new Map<string, number>() }

const peers = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 })
const states = fc.uniqueArray(
  fc.record({
    library: fc.constantFrom('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'),
    writer: fc.constantFrom('a', 'b', 'c', 'd'),
    runningWith: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
    yieldsFromMs: fc.nat(100),
    dueMs: fc.nat(100),
    notBeforeMs: fc.nat(100),
    staleFromMs: fc.nat(100),
    newerAt: fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(100)))
      .map(list => new Map(list)),
    heldBy: peers.map(list => new Set(list)),
    failedWith: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 })
  }),
  { selector: ({ library }) => library, maxLength: 8 }
)

const busy = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(100))
  .map(all => new Map(Object.entries(all)))

const timeIn =
  (connected: ReadonlySet<string>) =>
  ({ newerAt, notBeforeMs, dueMs }: FollowState): number =>
    Math.max(
      notBeforeMs,
      Math.min(dueMs, ...[...newerAt].flatMap(([peer, ms]) => (connected.has(peer) ? ms : [])))
    )

describe('what is followed when', () => {
  test('nothing before its time, nothing twice, no more at once than there may be, and nothing is forgotten', () => {
    fc.assert(
      fc.property(states, peers, busy, fc.nat(100), (all, near, busyUntilMs, nowMs) => {
        const connected = new Set<string>(near)
        const { runs, nextMs } = planFollows(all, { nowMs, connected, busyUntilMs })
        const running = all.flatMap(({ runningWith }) => runningWith ?? [])
        expect(new Set(runs.map(({ library }) => library)).size).toBe(runs.length)
        expect(runs.length).toBeLessThanOrEqual(Math.max(0, MAX_RUNS - running.length))
        const timeOf = timeIn(connected)
        for (const { library } of runs) {
          const one = all.find(other => other.library === library)!
          expect(one.runningWith).toBeUndefined()
          expect(timeOf(one)).toBeLessThanOrEqual(nowMs)
        }
        const waiting = all.filter(({ runningWith }) => runningWith === undefined)
        const yields = all.flatMap(one => (one.runningWith === undefined ? [] : one.yieldsFromMs))
        const later = [...waiting.map(timeOf), ...busyUntilMs.values(), ...yields].filter(
          atMs => atMs > nowMs
        )
        expect(nextMs).toBe(Math.min(...later, Number.POSITIVE_INFINITY))
      }),
      { seed: 20261129 }
    )
  })

  test('with no peer more sessions than it serves, with none that is busy, and nothing waits for another reason', () => {
    fc.assert(
      fc.property(states, peers, busy, fc.nat(100), (all, near, busyUntilMs, nowMs) => {
        const connected = new Set<string>(near)
        const { runs } = planFollows(all, { nowMs, connected, busyUntilMs })
        const running = all.flatMap(({ runningWith }) => runningWith ?? [])
        const sessionsWith = (peer: string): number =>
          [...running, ...runs.map(run => run.peer)].filter(other => other === peer).length
        const isBusy = (peer: string): boolean => nowMs < (busyUntilMs.get(peer) ?? 0)
        for (const { peer } of runs) {
          expect(sessionsWith(peer)).toBeLessThanOrEqual(MAX_SESSIONS_PER_PEER)
          expect(isBusy(peer)).toBe(false)
        }
        if (running.length + runs.length >= MAX_RUNS) return
        for (const one of all) {
          if (one.runningWith !== undefined || timeIn(connected)(one) > nowMs) continue
          if (runs.some(({ library }) => library === one.library)) continue
          // Alone it would be compared with this one.
          const alone = { nowMs, connected, busyUntilMs: idle.busyUntilMs }
          const { peer } = planFollows([one], alone).runs[0]!
          expect(isBusy(peer) || sessionsWith(peer) >= MAX_SESSIONS_PER_PEER).toBe(true)
        }
      }),
      { seed: 20261130 }
    )
  })

  test('of many libraries that one peer has, as many as it serves, and those of others beside them', () => {
    const many = Array.from({ length: 6 }, (_, n) => state('hub', { library: `hub ${n}`, dueMs: 0 }))
    const all = [...many, state('a', { dueMs: 1 }), state('b', { dueMs: 1 }), state('c', { dueMs: 1 })]
    const { runs } = planFollows(all, { ...idle, nowMs: 1, connected: new Set(['hub']) })
    expect(runs.map(({ peer }) => peer)).toEqual(['hub', 'hub', 'a', 'b'])
  })

  test('where a peer has no place, with another one that is as good, and with none that is not', () => {
    const full = [1, 2].map(n => state('x', { library: `running ${n}`, runningWith: 'full' }))
    const peerBeside = (over: Partial<FollowState>, near: string[], writer = 'full'): string | undefined =>
      planFollows([...full, state(writer, { dueMs: 0, ...over })], {
        ...idle,
        nowMs: 0,
        connected: new Set(['full', ...near])
      }).runs[0]?.peer
    const heldBy = new Set(['holder'])
    expect(peerBeside({ heldBy }, ['holder'])).toBe('holder')
    expect(peerBeside({ heldBy }, []), 'it is not here').toBeUndefined()
    expect(peerBeside({ heldBy, staleFromMs: 0 }, ['holder']), 'it may be as old').toBeUndefined()
    const newerAt = told('full')
    expect(
      peerBeside({ heldBy, newerAt }, ['holder', 'writer'], 'writer'),
      'they told nothing'
    ).toBeUndefined()
    expect(peerBeside({ newerAt: told('full', 'other') }, ['other'], 'writer')).toBe('other')
  })

  test('at once when a connected peer tells a newer head, unless the last tries have failed a moment ago', () => {
    const connected = new Set(['mirror'])
    const one = state('writer', { newerAt: told('mirror') })
    expect(planFollows([one], { ...idle, nowMs: 10, connected }).runs).toEqual([
      { library: 'of writer', peer: 'mirror' }
    ])
    expect(planFollows([one], { ...idle, nowMs: 10, connected: new Set() }).runs).toEqual([])
    const failing = { ...one, notBeforeMs: 50 }
    expect(planFollows([failing], { ...idle, nowMs: 10, connected })).toEqual({
      runs: [],
      cuts: [],
      nextMs: 50
    })
  })

  test('with the best of those that are as good, and with the writer before all that only have it', () => {
    const order = (found: readonly string[]): string[] => found.toSorted().reverse()
    const peerOf = (near: string[], over: Partial<FollowState>): string | undefined =>
      planFollows([state('writer', { dueMs: 0, ...over })], {
        ...idle,
        nowMs: 10,
        connected: new Set(near),
        order
      }).runs[0]?.peer
    const heldBy = new Set(['a', 'b', 'x'])
    expect(peerOf(['a', 'b'], { heldBy })).toBe('b')
    expect(peerOf(['a', 'x', 'writer'], { heldBy })).toBe('writer')
    expect(peerOf(['a', 'b', 'x', 'writer'], { heldBy, newerAt: told('a', 'b') })).toBe('b')
    expect(peerOf(['a', 'b'], { heldBy, failedWith: ['b'] }), 'who failed last is last').toBe('a')
  })

  test('when a head that is dated ahead counts, from who told it, and not before', () => {
    const connected = new Set(['mirror', 'holder'])
    const one = state('writer', { newerAt: new Map([['mirror', 50]]), heldBy: new Set(['holder']) })
    const at = (nowMs: number, over: Partial<FollowState> = {}): FollowPlan =>
      planFollows([{ ...one, ...over }], { ...idle, nowMs, connected })
    expect(at(49)).toEqual({ runs: [], cuts: [], nextMs: 50 })
    expect(at(50).runs).toEqual([{ library: 'of writer', peer: 'mirror' }])
    expect(at(50, { notBeforeMs: 60 }), 'it has failed a moment ago').toEqual({
      runs: [],
      cuts: [],
      nextMs: 60
    })
    const due = at(49, { dueMs: 10 })
    expect(due.runs, 'as if nothing had been told').toEqual([{ library: 'of writer', peer: 'holder' }])
  })

  const peerOf = (over: Partial<FollowState>, near: string[]): string | undefined =>
    planFollows([state('writer', { dueMs: 0, ...over })], { ...idle, nowMs: 0, connected: new Set(near) })
      .runs[0]?.peer

  test('with who told it, then the writer, then others; with who failed last when nobody else is there', () => {
    const heldBy = new Set(['holder'])
    const newerAt = told('teller')
    expect(peerOf({ heldBy, newerAt }, ['holder', 'teller', 'writer'])).toBe('teller')
    expect(peerOf({ heldBy, newerAt }, ['holder', 'writer'])).toBe('writer')
    expect(peerOf({ heldBy, newerAt }, ['holder'])).toBe('holder')
    expect(peerOf({ heldBy }, []), 'it may be found').toBe('writer')
    const failedWith = ['writer', 'teller']
    expect(peerOf({ heldBy, newerAt, failedWith }, ['holder', 'teller', 'writer'])).toBe('holder')
    expect(peerOf({ newerAt, failedWith }, ['teller', 'writer'])).toBe('writer')
    const many = { newerAt: told('teller', 'another'), failedWith: ['teller'] }
    expect(peerOf(many, ['teller', 'another', 'writer']), 'as many as there are').toBe('writer')
    expect(peerOf(many, ['teller', 'another'])).toBe('another')
    expect(peerOf({ newerAt, failedWith: ['teller', 'writer'] }, ['teller', 'writer'])).toBe('teller')
  })

  test('with a writer that is not connected before those that failed, and before all who hold a copy as old as the one here', () => {
    const heldBy = new Set(['holder', 'other'])
    const near = [...heldBy]
    expect(peerOf({ heldBy }, near)).toBe('holder')
    expect(peerOf({ heldBy, failedWith: ['holder'] }, near)).toBe('other')
    expect(peerOf({ heldBy, failedWith: ['holder', 'other'] }, near)).toBe('writer')
    expect(peerOf({ heldBy, failedWith: ['holder', 'other', 'writer'] }, near)).toBe('holder')
    expect(peerOf({ heldBy, failedWith: ['writer', 'holder'] }, ['holder'])).toBe('writer')
    expect(peerOf({ heldBy, staleFromMs: 1 }, near)).toBe('holder')
    expect(peerOf({ heldBy, staleFromMs: 0 }, near)).toBe('writer')
    expect(peerOf({ heldBy, staleFromMs: 0, failedWith: ['writer'] }, near)).toBe('holder')
    expect(peerOf({ newerAt: told(...heldBy), staleFromMs: 0 }, near), 'they have told a newer head').toBe(
      'holder'
    )
  })

  describe('a session that takes long', () => {
    const slow = (library: string, over: Partial<FollowState> = {}): FollowState =>
      state('w', { library, runningWith: 'w', yieldsFromMs: 50, ...over })
    const cutsIn = (all: FollowState[], nowMs: number, near = ['w']): readonly string[] =>
      planFollows(all, { ...idle, nowMs, connected: new Set(near) }).cuts

    test('goes on while nobody waits and nobody else has the library', () => {
      expect(cutsIn([slow('one')], 1000)).toEqual([])
      expect(cutsIn([slow('one'), state('a', { dueMs: 0 })], 1000), 'there is room').toEqual([])
    })

    test('yields to another peer that has the library and has not failed, when its time is over', () => {
      const teller = { newerAt: told('teller') }
      expect(cutsIn([slow('one', teller)], 49, ['w', 'teller'])).toEqual([])
      expect(cutsIn([slow('one', teller)], 50, ['w', 'teller'])).toEqual(['one'])
      expect(cutsIn([slow('one', teller)], 50), 'it is not here').toEqual([])
      expect(cutsIn([slow('one', { ...teller, failedWith: ['teller'] })], 50, ['w', 'teller'])).toEqual([])
      const late = { newerAt: new Map([['teller', 60]]) }
      expect(cutsIn([slow('one', late)], 50, ['w', 'teller']), 'it does not count yet').toEqual([])
      const held = { heldBy: new Set(['holder']) }
      expect(cutsIn([slow('one', held)], 50, ['w', 'holder']), 'it may be as old').toEqual([])
      expect(cutsIn([slow('one', { runningWith: 'holder', ...held })], 50, ['w', 'holder'])).toEqual(['one'])
    })

    test('yields to libraries that wait, as many as do, the one that is overdue longest first', () => {
      const all = [50, 20, 40, 30].map((yieldsFromMs, n) =>
        slow(`${n}`, { yieldsFromMs, runningWith: `${n}` })
      )
      const waiting = ['a', 'b'].map(writer => state(writer, { dueMs: 10 }))
      expect(cutsIn([...all, ...waiting], 45, [])).toEqual(['1', '3'])
      expect(cutsIn([...all, ...waiting], 25, []), 'the others have time').toEqual(['1'])
      expect(cutsIn([...all, state('a', { dueMs: 60 })], 45, []), 'it is not due').toEqual([])
      const ofBusy = slow('busy', { runningWith: '0', yieldsFromMs: 60 })
      const inVain = [slow('0', { runningWith: '0' }), ofBusy, ...all.slice(1, 3)]
      const ofIts = state('0', { library: 'of its', dueMs: 10 })
      expect(cutsIn([...inVain, ofIts], 55, []), 'its peer has no place for it').toEqual([])
    })

    test('has the longer the more often it failed, to a limit, and longer by what it has brought', () => {
      const failed = (times: number): number =>
        yieldTime(0, { failedWith: Array.from({ length: times }, () => 'w') }, 0)
      expect([0, 1, 2, 3, 8].map(failed)).toEqual([120_000, 240_000, 480_000, 480_000, 480_000])
      expect(yieldTime(1000, { failedWith: [] }, 10 * 32 * 1024)).toBe(131_000)
    })
  })

  test('a copy is stale when its writer should have signed again', () => {
    expect(staleTime(NOW_MS + HEAD_LIFETIME_MS)).toBe(NOW_MS + RENEW_AFTER_MS)
  })

  test('again after the interval, less up to a fifth', () => {
    expect(nextTime(1000, 500, 0)).toBe(1500)
    expect(nextTime(1000, 500, 0.999999)).toBe(1400)
  })
})

test('of all who ever told of a library the last are remembered', () => {
  let peers: ReadonlySet<string> = new Set()
  for (let i = 0; i < 3 * MAX_TELLERS; i++) peers = including(peers, `peer ${i}`)
  peers = including(peers, `peer ${2 * MAX_TELLERS}`)
  expect(peers.size).toBe(MAX_TELLERS)
  expect([...peers].at(-1)).toBe(`peer ${2 * MAX_TELLERS}`)
  expect(peers.has(`peer ${3 * MAX_TELLERS - 1}`)).toBe(true)
})

describe('who told a newer head', () => {
  test('is remembered with the last one, and of many the last are', () => {
    let newerAt: ReadonlyMap<string, number> = new Map()
    for (let i = 0; i < 3 * MAX_TELLERS; i++) newerAt = telling(newerAt, `peer ${i}`, i)
    newerAt = telling(newerAt, `peer ${2 * MAX_TELLERS}`, 7)
    expect(newerAt.size).toBe(MAX_TELLERS)
    expect([...newerAt].at(-1)).toEqual([`peer ${2 * MAX_TELLERS}`, 7])
  })

  test('is asked again when a session with it cannot have shown what counts later', () => {
    const newerAt = new Map([
      ['now', 10],
      ['later', 11],
      ['other', 5]
    ])
    expect([...tellingBeside(newerAt, 'now', 10).keys()]).toEqual(['later', 'other'])
    expect([...tellingBeside(newerAt, 'later', 10).keys()]).toEqual(['now', 'later', 'other'])
  })

  test('is waited for until its head counts, and not where that is too far ahead', () => {
    const aheadMs = MAX_CLOCK_AHEAD_MS + MAX_AHEAD_MS
    expect(awaitedFromMs(NOW_MS, NOW_MS)).toBe(NOW_MS - MAX_CLOCK_AHEAD_MS)
    expect(awaitedFromMs(NOW_MS + aheadMs, NOW_MS)).toBe(NOW_MS + MAX_AHEAD_MS)
    expect(awaitedFromMs(NOW_MS + aheadMs + 1, NOW_MS)).toBeUndefined()
  })
})
