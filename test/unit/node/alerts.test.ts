import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GIB, HOUR_MS, MINUTE_MS, SECOND_MS, silentLogger } from '../../../base/index.ts'
import { EventHub, type NodeEvent } from '../../../node/events.ts'
import { CLEAR_AFTER_MS, nextStep, type Trouble } from '../../../node/services/alerts/alert-steps.ts'
import { Alerting } from '../../../node/services/alerts/alerting.ts'
import {
  ALERT_KINDS,
  ALERT_RULES,
  type AlertKind,
  type AlertState
} from '../../../node/services/alerts/rules.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const WELL: AlertState = {
  nowMs: Date.UTC(2026, 5, 1),
  store: { bytes: 1, quotaBytes: 100 },
  freeBytes: 100 * GIB,
  damaged: 0,
  errors: () => ({ times: 0, peers: 0 }),
  peers: 3,
  peersWanted: 10,
  partition: { name: 'whole', reasons: [] },
  announcementsLateMs: 0,
  notFollowed: [],
  denied: []
}
const failing =
  (code: string, times: number, peers = 0): AlertState['errors'] =>
  asked =>
    asked === code ? { times, peers } : { times: 0, peers: 0 }

/** For each kind: what raises it, what only keeps it, and what is no sign of it. */
const CASES: Record<
  AlertKind,
  { bad: Partial<AlertState>; between?: Partial<AlertState>; well?: Partial<AlertState> }
> = {
  'store-full': {
    bad: { store: { bytes: 95, quotaBytes: 100 } },
    between: { store: { bytes: 94, quotaBytes: 100 } },
    well: { store: { bytes: 89, quotaBytes: 100 } }
  },
  'quota-refusals': {
    bad: { errors: failing('QUOTA_EXCEEDED', 3) },
    between: { errors: failing('QUOTA_EXCEEDED', 2) },
    well: { errors: failing('BUSY', 9) }
  },
  'disk-full': { bad: { freeBytes: 1e6 }, between: { freeBytes: GIB / 4 } },
  'disk-low': { bad: { freeBytes: GIB - 1 }, between: { freeBytes: GIB }, well: { freeBytes: 2 * GIB } },
  'disk-failing': { bad: { errors: failing('DISK_IO', 1) } },
  'content-damaged': { bad: { damaged: 1 } },
  'bucket-stuck': { bad: { bucketProblem: { code: 'BUCKET_UNREACHABLE', backlogBytes: 5 } } },
  'clock-wrong': {
    bad: { errors: failing('RECORD_EARLY', 3, 3) },
    between: { errors: failing('RECORD_EARLY', 9, 2) }
  },
  'no-peers': { bad: { peers: 0 }, well: { peers: 0, peersWanted: 0 } },
  partitioned: {
    bad: { partition: { name: 'partitioned', reasons: ['3 of 4 peers fell silent'] } },
    between: { partition: { name: 'healing', reasons: ['3 of 4 peers fell silent'] } }
  },
  'announcements-late': {
    bad: { announcementsLateMs: HOUR_MS },
    between: { announcementsLateMs: HOUR_MS - 1 },
    well: { announcementsLateMs: HOUR_MS / 2 - 1 }
  },
  'library-not-followed': { bad: { notFollowed: [{ address: '12D3KooA', code: 'DIAL_FAILED' }] } },
  'peer-denied': { bad: { denied: ['12D3KooB'] } }
}

/** Steps over states, each held for a time with a look every 15 s; what was raised and cleared, by kind. */
function run(states: ReadonlyArray<readonly [Partial<AlertState>, forMs: number]>): string[] {
  const told: string[] = []
  let troubles: readonly Trouble[] = []
  let nowMs = 0
  for (const [state, forMs] of states)
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 15 * SECOND_MS) {
      const step = nextStep(troubles, { ...WELL, ...state }, nowMs)
      troubles = step.troubles
      told.push(...step.raised.map(({ kind }) => `+${kind}`), ...step.cleared.map(({ kind }) => `-${kind}`))
    }
  return told
}

describe('alerts', () => {
  it.each(ALERT_KINDS)('%s is raised once when it has held, kept in between, and cleared once', kind => {
    const { bad, between = bad, well = {} } = CASES[kind]
    const { afterMs } = ALERT_RULES[kind]
    expect(run([[well, MINUTE_MS]])).toEqual([])
    if (afterMs > 0)
      expect(
        run([
          [bad, afterMs],
          [well, HOUR_MS]
        ]),
        'not for long enough'
      ).toEqual([])
    if (between !== bad) expect(run([[between, 2 * HOUR_MS]]), 'not bad enough').not.toContain(`+${kind}`)
    const all = run([
      [bad, afterMs + MINUTE_MS],
      [between, HOUR_MS],
      [bad, HOUR_MS],
      [well, HOUR_MS]
    ])
    expect(all.filter(told => told.endsWith(kind))).toEqual([`+${kind}`, `-${kind}`])
    expect(
      run([
        [bad, afterMs + MINUTE_MS],
        [well, CLEAR_AFTER_MS / 2],
        [bad, HOUR_MS]
      ]),
      'it was over for a moment'
    ).toEqual(run([[bad, afterMs + MINUTE_MS]]))
  })

  it('of a wrong clock need no peers where no right clock shows such a time', () => {
    expect(run([[{ nowMs: Date.UTC(2020, 1, 1) }, MINUTE_MS]])).toEqual(['+clock-wrong'])
  })

  it('say since when it is so, also while it gets a little better', () => {
    const full = { ...WELL, store: { bytes: 96, quotaBytes: 100 } }
    const first = nextStep([], full, 1000)
    const raised = nextStep(first.troubles, full, MINUTE_MS + 1000)
    const better = nextStep(
      raised.troubles,
      { ...WELL, store: { bytes: 91, quotaBytes: 100 } },
      2 * MINUTE_MS
    )
    expect(better.troubles).toMatchObject([{ kind: 'store-full', badMs: 1000, raisedMs: MINUTE_MS + 1000 }])
  })

  it('tell of a few of many libraries or peers, and the same ones as long as they last', () => {
    const denied = Array.from({ length: 100 }, (_, i) => `peer-${i}`)
    const first = nextStep([], { ...WELL, denied }, 0)
    expect(first.raised).toHaveLength(32)
    const second = nextStep(first.troubles, { ...WELL, denied: denied.toReversed() }, 15_000)
    expect([second.raised, second.cleared]).toEqual([[], []])
    expect(second.troubles.map(({ about }) => about).toSorted()).toEqual(
      first.troubles.map(({ about }) => about).toSorted()
    )
  })

  it('are raised and cleared in turns, whatever happens', () => {
    const step = fc.tuple(
      fc.constantFrom(...ALERT_KINDS),
      fc.constantFrom<'bad' | 'between' | 'well'>('bad', 'between', 'well'),
      fc.nat(200)
    )
    fc.assert(
      fc.property(fc.array(step), steps => {
        const told = run(steps.map(([kind, how, looks]) => [CASES[kind][how] ?? {}, looks * 15 * SECOND_MS]))
        for (const kind of ALERT_KINDS) {
          const own = told.filter(text => text.slice(1) === kind).map(text => text[0])
          expect(own).toEqual(own.map((_, i) => (i % 2 === 0 ? '+' : '-')))
        }
      })
    )
  })

  it('become events and lines of the log, and are shown while they hold', async () => {
    const clock = new ManualClock(Date.UTC(2026, 5, 1))
    const events = new EventHub({ clock })
    const seen: NodeEvent[] = []
    events.listen(event => seen.push(event))
    const lines: string[] = []
    const note = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`)
    const logger = { ...silentLogger, error: note('error'), warn: note('warn'), info: note('info') }
    let state: AlertState | Error = { ...WELL, damaged: 0, freeBytes: 1e6 }
    const look = async (): Promise<AlertState> => {
      if (state instanceof Error) throw state
      return state
    }
    const alerting = new Alerting({ look, events, clock, logger })
    alerting.start()
    await eventually(() => seen.length === 1)
    expect(seen[0]).toMatchObject({
      type: 'alert',
      data: { state: 'raised', kind: 'disk-full', level: 'error', since: '2026-06-01T00:00:00.000Z' }
    })
    state = new Error('the disk is gone')
    await clock.advance(15_000, 15_000)
    expect(alerting.active(), 'a look that fails changes nothing').toMatchObject([{ kind: 'disk-full' }])
    state = WELL
    await clock.advance(2 * MINUTE_MS, 15_000)
    await eventually(() => seen.length === 2)
    expect(seen[1]).toMatchObject({ type: 'alert', data: { state: 'cleared', kind: 'disk-full' } })
    expect(alerting.active()).toEqual([])
    expect(lines).toEqual([
      'error an alert',
      expect.stringMatching(/^error the state/),
      'info an alert is over'
    ])
    await alerting.stop()
  })
})
