/** Which faults come in a soak, and when: drawn from the seed, and thinned so that each can be told from the next. Pure. */
import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { Fault, FaultKind } from '../faults/fault.ts'
import { type ScheduledFault, scheduleFaults } from '../faults/schedule.ts'
import { type NetworkPlan, neighboursOf } from '../network/plan.ts'

const KINDS: readonly FaultKind[] = [
  'latency',
  'loss',
  'rate',
  'partition',
  'kill',
  'pause',
  'restart',
  'disk-full',
  'slow-disk',
  'clock-skew',
  'cpu-pressure',
  'corrupt-segment'
]
/** One a so often, before thinning. */
const EVERY_MS = 40 * SECOND_MS
const LEAST_FAULTS = 4
const LONGEST_MS = 15 * SECOND_MS
/** Between two faults at one place: taking back a kill is a start, which takes its time on a busy machine. */
const REST_MS = 20 * SECOND_MS

/**
 * All have come and gone at `lengthMs`. Two at one node or link do not overlap: what takes back the one would take back the other.
 * Processes of the first node of each role live from the start to the end, so that there are lives as long as the soak to be judged.
 */
export function faultPlan(plan: NetworkPlan, seed: string, lengthMs: number): ScheduledFault[] {
  const drawn = scheduleFaults(plan, {
    seed,
    kinds: KINDS,
    count: Math.max(LEAST_FAULTS, Math.round(lengthMs / EVERY_MS)),
    lastMs: lengthMs,
    forMs: Math.min(LONGEST_MS, lengthMs / 10)
  })
  const steady = new Set(steadyNodes(plan))
  const freeAtMs = new Map<string, number>()
  return drawn.filter(({ atMs, forMs, fault }) => {
    const places = placesOf(plan, fault)
    if (endsProcess(fault) && places.some(place => steady.has(place))) return false
    if (places.some(place => (freeAtMs.get(place) ?? 0) > atMs)) return false
    for (const place of places) freeAtMs.set(place, atMs + forMs + REST_MS)
    return true
  })
}

/** Whose process no fault ends. */
export function steadyNodes({ nodes }: NetworkPlan): string[] {
  return [...new Map(nodes.toReversed().map(({ role, name }) => [role, name])).values()]
}

export const endsProcess = ({ kind }: Fault): boolean => kind === 'kill' || kind === 'restart'

/** Whether the event loop of the node is held up by it, however well the node works. */
export const slowsNode = ({ kind }: Fault): boolean =>
  kind === 'kill' || kind === 'restart' || kind === 'pause' || kind === 'cpu-pressure' || kind === 'slow-disk'

/** The node that it is done to; undefined of one that is done to links. */
export const nodeOf = (fault: Fault): string | undefined => ('node' in fault ? fault.node : undefined)

/** Its node, or the links that it is done to: of a partition all of the region. */
export function placesOf(plan: NetworkPlan, fault: Fault): string[] {
  if ('node' in fault) return [fault.node]
  const pairs =
    'between' in fault
      ? [fault.between]
      : neighboursOf(plan, fault.region).map(other => [fault.region, other] as const)
  return pairs.map(pair => pair.toSorted().join(' '))
}

/** A minute of figures that has something of a fault in it is over by so long after it. */
export const SLOWED_MS = 2 * MINUTE_MS
