/**
 * How many copies a content should have, how they are spread, and what comes first when not everything fits. A strategy is nothing but
 * these three inputs; who holds what, and when it may be let go of, is one mechanism for all.
 *
 * Demand that goes up and down must not move copies to and fro: a copy is *taken* for what demand is, and *kept* as if it were twice
 * as much. In between nothing moves.
 */
import { DAY_MS } from '../../base/index.ts'
import { HALVES, type Spread, THIRDS } from './spread.ts'
import type { Candidate, MirrorPolicy, StrategyName } from './types.ts'

export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * The first copy beyond the target is for a demand of so much, the next for three times as much, then seven times. A holder that is asked by
 * thousands is heard as 1 by the others: so a demand of 2 is two holders that are busy, which one liar, or many in one network, cannot feign.
 */
const DEMAND_PER_COPY = 2
/** A copy goes only when demand has fallen to the half of what it was taken for. */
const KEEP_FACTOR = 2
/** Of a content that nobody asked for so long only what must be is held (access pattern). */
const QUIET_MS = 7 * DAY_MS
/** Chance that no holder can be reached, which `adaptive` stays below. */
const MAX_LOSS = 0.001

export interface Copies {
  readonly take: number
  readonly keep: number
}

interface Strategy {
  readonly spread: Spread
  /** Copies at a demand; brought within min and max by `copiesOf`. */
  copies(candidate: Candidate, demand: number, policy: MirrorPolicy, nowMs: number): number
  /** Higher comes first, among what is equally urgent. */
  worth(candidate: Candidate): number
}

/** One more for each doubling of demand. */
const doublings = (demand: number): number =>
  31 - Math.clz32(1 + Math.floor(Math.min(demand, 2 ** 30) / DEMAND_PER_COPY))

/** Copies so that one of them can be reached, but for one time in a thousand. */
function copiesFor(availability: number): number {
  const away = 1 - Math.min(0.999, Math.max(0.001, availability))
  return Math.ceil(Math.log(MAX_LOSS) / Math.log(away))
}

const byDemand = ({ demand }: Candidate): number => demand.count

const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  /** Copies where they are wanted. */
  popularity: {
    spread: HALVES,
    copies: (_candidate, demand, { target }) => target + doublings(demand),
    worth: byDemand
  },
  /** Copies far from each other. */
  geographic: {
    spread: THIRDS,
    copies: (_candidate, _demand, { target }) => target,
    worth: byDemand
  },
  /** Who asks, and when: more for what several ask for now, least for what nobody has asked for lately. */
  'access-pattern': {
    spread: HALVES,
    copies: ({ demand: { lastMs, askers } }, demand, { min, target }, nowMs) => {
      if (lastMs === undefined || nowMs - lastMs >= QUIET_MS) return min
      return target + (askers > 1 ? doublings(demand) : 0)
    },
    worth: ({ demand }) => demand.lastMs ?? 0
  },
  /** What the operator says: classes of libraries and records. */
  priority: {
    spread: HALVES,
    copies: ({ priority }, _demand, { min, target, max }) =>
      ({ low: min, normal: target, high: Math.min(max, target + 1), critical: max })[priority],
    worth: ({ priority }) => PRIORITIES.indexOf(priority)
  },
  /** Follows demand, and how often holders can be reached. */
  adaptive: {
    spread: HALVES,
    copies: ({ availability }, demand, { target }) =>
      Math.max(target, copiesFor(availability)) + doublings(demand),
    worth: byDemand
  }
}

export const spreadFor = (policy: MirrorPolicy): Spread => STRATEGIES[policy.strategy].spread
export const worthOf = (candidate: Candidate, policy: MirrorPolicy): number =>
  STRATEGIES[policy.strategy].worth(candidate)

/** Below how many copies a content is taken, and above how many it may be let go of. */
export function copiesOf(candidate: Candidate, policy: MirrorPolicy, nowMs: number): Copies {
  const strategy = STRATEGIES[policy.strategy]
  const at = (demand: number): number =>
    Math.min(policy.max, Math.max(policy.min, strategy.copies(candidate, demand, policy, nowMs)))
  const { count } = candidate.demand
  return { take: at(count), keep: at(count * KEEP_FACTOR) }
}
