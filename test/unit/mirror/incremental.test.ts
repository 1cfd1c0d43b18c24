/** A planner that saw things come one by one plans what follows from all of them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../base/index.ts'
import {
  type Action,
  type Candidate,
  MirrorPlanner,
  type PeerState,
  planMirror
} from '../../../mirror/index.ts'
import { describeAction, MEMBERS } from './one.ts'
import { candidateOf, contentOf, memberOf, NOW_MS, POLICY, PRESENT } from './support.ts'

describe('a planner that has seen it all come', () => {
  type Step = [what: number, content: number, peer: number, value: number]
  const texts = Array.from({ length: 6 }, (_, at) => `c${at}`)

  test('plans what follows from what is so now', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 11 }), fc.nat(60)), {
      maxLength: 60
    })
    fc.assert(
      fc.property(steps, (all: Step[]) => {
        const world = new World()
        for (const step of all) world.take(step)
        expect(shown(world.planner.plan(world.nowMs).actions)).toEqual(shown(world.anew().actions))
      }),
      { numRuns: 150 }
    )
  })

  const shown = (actions: readonly Action[]): string[] =>
    actions.map(action => `${action.name} ${describeAction(action)}`).sort()

  class World {
    readonly planner = new MirrorPlanner({ self: memberOf(0), policy: POLICY })
    readonly #candidates = new Map(texts.map(text => [text, candidateOf(text)]))
    readonly #states = new Map(MEMBERS.map(({ peer }) => [peer, PRESENT as PeerState]))
    readonly #claims = new Map<string, { sinceMs: number; provenMs: number }>()
    #members = MEMBERS
    nowMs = NOW_MS

    constructor() {
      this.planner.setMembers('all', MEMBERS)
      for (const [text, candidate] of this.#candidates) {
        this.planner.setRelease(candidate, NOW_MS)
        this.planner.setKnown(contentOf(text).toString(), NOW_MS)
      }
      for (const [peer, state] of this.#states) this.planner.setPeer(peer, state)
    }

    take([what, content, number, value]: Step): void {
      const text = texts[content]!
      const peer = `m${number}`
      this.nowMs += value * MINUTE_MS
      if (what === 0) this.#set(text, { have: (['nothing', 'mirror', 'cache'] as const)[value % 3]! })
      if (what === 1) this.#set(text, { demand: { count: value, askers: 2 } })
      if (what === 2) this.#state(peer, value % 2 === 0)
      if (what >= 3) this.#prove(text, peer)
      if (value % 7 === 0) this.planner.plan(this.nowMs)
    }

    #set(text: string, over: Partial<Candidate>): void {
      const candidate = { ...this.#candidates.get(text)!, ...over }
      this.#candidates.set(text, candidate)
      this.planner.setRelease(candidate, this.nowMs)
    }

    #state(peer: string, isAway: boolean): void {
      const state = isAway ? { awaySinceMs: this.nowMs, presentSinceMs: 0 } : { presentSinceMs: this.nowMs }
      this.#states.set(peer, state)
      this.planner.setPeer(peer, state)
    }

    #prove(text: string, peer: string): void {
      const key = `${text} ${peer}`
      this.#claims.set(key, { sinceMs: this.#claims.get(key)?.sinceMs ?? this.nowMs, provenMs: this.nowMs })
      this.planner.prove(contentOf(text).toString(), peer, this.nowMs)
    }

    anew() {
      const holders = [...this.#claims].map(([key, claim]) => {
        const [text, peer] = key.split(' ') as [string, string]
        return { content: contentOf(text).toString(), peer, state: this.#states.get(peer)!, ...claim }
      })
      return planMirror(
        {
          self: memberOf(0),
          policy: POLICY,
          releases: this.#candidates.values(),
          holders,
          members: new Map([['all', this.#members]]),
          knownSinceMs: NOW_MS
        },
        this.nowMs
      )
    }
  }
})
