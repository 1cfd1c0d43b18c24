/** Faults at times that a seed decides: the same seed and plan give the same list, and a list can be run on any network that fits. */
import type { Clock } from '../../base/index.ts'
import type { NetworkPlan, NodePlan } from '../network/plan.ts'
import { Random } from '../simulator/random.ts'
import type { ActiveFaults } from './active-faults.ts'
import type { Fault, FaultKind } from './fault.ts'

export interface ScheduledFault {
  /** Since the start of the schedule. */
  readonly atMs: number
  readonly forMs: number
  readonly fault: Fault
}

export interface ScheduleOptions {
  readonly seed: string
  readonly kinds: readonly FaultKind[]
  readonly count: number
  /** All have come and gone by then. */
  readonly lastMs: number
  /** How long one stays at least; at most three times as long. */
  readonly forMs: number
}

const SKEW_MS = [-3_600_000, -30_000, 30_000, 3_600_000]

/** In the order of their times. Kinds that the plan has no place for (a link in a network of one region) do not come. Pure. */
export function scheduleFaults(plan: NetworkPlan, options: ScheduleOptions): ScheduledFault[] {
  const random = new Random(`${options.seed}/faults`)
  const kinds = options.kinds.filter(kind => placesOf(plan, kind).length > 0)
  if (kinds.length === 0) return []
  return Array.from({ length: options.count }, (_, at) => {
    const forMs = random.between(options.forMs, Math.min(3 * options.forMs, options.lastMs))
    const atMs = random.below(options.lastMs - forMs + 1)
    const kind = random.pick(kinds)
    const place = random.pick(placesOf(plan, kind))
    return { atMs, forMs, fault: drawFault(kind, place, random.fork(String(at))) }
  }).sort((a, b) => a.atMs - b.atMs)
}

/** Gives and takes all of them at their times; resolves when the last has gone. */
export async function runSchedule(
  { faults, clock }: { readonly faults: ActiveFaults; readonly clock: Clock },
  schedule: readonly ScheduledFault[],
  signal: AbortSignal
): Promise<void> {
  await Promise.all(
    schedule.map(async ({ atMs, forMs, fault }) => {
      await clock.wait(atMs, signal)
      const active = await faults.apply(fault, signal)
      await clock.wait(forMs, signal)
      await faults.revert(active, signal)
    })
  )
}

const ON_LINKS: readonly FaultKind[] = ['latency', 'loss', 'rate']
/** Without them nobody finds anybody: a network without its seeds is a scenario of its own. */
const canFail = ({ role }: NodePlan): boolean => role !== 'seed'

/** Pairs of regions, regions, or nodes that a kind can be given to. */
function placesOf({ nodes, delaysMs }: NetworkPlan, kind: FaultKind): string[] {
  if (ON_LINKS.includes(kind)) return Object.keys(delaysMs)
  if (kind === 'partition') return [...new Set(Object.keys(delaysMs).flatMap(pair => pair.split(' ')))]
  const able = kind === 'disk-full' ? nodes.filter(({ limits }) => limits.diskBytes !== undefined) : nodes
  return able.filter(canFail).map(({ name }) => name)
}

function drawFault(kind: FaultKind, place: string, random: Random): Fault {
  const between = place.split(' ') as [string, string]
  const node = place
  switch (kind) {
    case 'latency':
      return { kind, between, delayMs: random.between(100, 500) }
    case 'loss':
      return { kind, between, lossPercent: random.between(1, 10) }
    case 'rate':
      return { kind, between, rateMbit: random.between(2, 20) }
    case 'partition':
      return { kind, region: place }
    case 'kill':
    case 'pause':
    case 'restart':
      return { kind, node }
    case 'disk-full':
      return { kind, node, leaveBytes: 0 }
    case 'slow-disk':
      return { kind, node, diskDelayMs: random.between(20, 200) }
    case 'clock-skew':
      return { kind, node, clockOffsetMs: random.pick(SKEW_MS) }
    case 'cpu-pressure':
      return { kind, node, processes: random.between(1, 2) }
    case 'corrupt-segment':
      return { kind, node, bytes: random.between(1, 8), seed: String(random.below(2 ** 31)) }
  }
}
