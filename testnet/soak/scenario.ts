/** The soak as a scenario: load and faults, a quiet while, what must be so then, and the verdicts. */
import { HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { NetworkSize } from '../network/topologies.ts'
import { action, expectation, type Scenario, type ScenarioRun, verdict } from '../scenarios/scenario.ts'
import type { PublishedRelease } from '../scenarios/work.ts'
import { faultPlan } from './fault-plan.ts'
import { FaultRun } from './fault-run.ts'
import type { NodeHistory } from './history.ts'
import { growthOf, judge, type Seen } from './judge.ts'
import { differences, librariesOf } from './libraries.ts'
import { Load } from './load.ts'
import { Outcomes } from './outcomes.ts'
import { Watch } from './watch.ts'

export interface SoakOptions {
  /** How long load and faults go on. */
  readonly forMs: number
  readonly seed: string
  /** Told now and then how it stands. */
  onProgress?(line: string): void
}

export interface Soak {
  readonly scenario: Scenario
  /** What was seen so far, for who wants to look closer than the report does; undefined before the run. */
  seen(): (Seen & { readonly outcomes: Outcomes }) | undefined
}

/** What has begun may end, and nobody does anything: a leak of what is under way would show as much as one for ever. */
const QUIET_MS = MINUTE_MS
/** Beyond the time of the load: its last operations end. */
const LAST_OPERATIONS_MS = 5 * MINUTE_MS
/** Until copies are equal and everybody knows everybody: libraries are compared every five minutes at the latest. */
const SETTLE_MS = 10 * MINUTE_MS
const PROGRESS_MS = 5 * MINUTE_MS
const PROGRESS_SHARE = 1 / 6
const LAST_RELEASE_BYTES = 64 * KIB
const STORE = { 'store.quota': '128MiB' }

const SIZE: NetworkSize = {
  topology: 'mesh',
  regions: ['eu', 'us'],
  counts: { seed: 1, publisher: 2, mirror: 2, consumer: 3 },
  // Small, so that collections have something to do.
  settings: { consumer1: STORE, consumer2: STORE, consumer3: STORE },
  diskBytes: { consumer2: 512 * MIB }
}

export function soakScenario(options: SoakOptions): Soak {
  let seen: ReturnType<Soak['seen']>
  const scenario: Scenario = {
    name: 'soak',
    description:
      'eight nodes under mixed load and faults for hours: memory, open files and event loops stay as they are, nothing ends or fails that should not, and all copies of libraries are equal at the end',
    size: SIZE,
    steps(run) {
      const { network, faults, clock, work, measures } = run
      const outcomes = new Outcomes()
      const faultRun = new FaultRun({ faults, clock })
      const watch = new Watch({ network, faults: faultRun, clock })
      const load = new Load({ network, work, measures, clock, outcomes })
      seen = {
        histories: watch.histories,
        referenceLoop: watch.referenceLoop,
        endsOf: name => faultRun.endsOf(name),
        faultProblems: faultRun.problems,
        get failed() {
          return outcomes.failed
        },
        get done() {
          return outcomes.done
        },
        messages: watch.messages,
        outcomes
      }
      const { forMs, seed } = options
      return [
        action(
          'load and faults',
          async signal => {
            const work = Promise.all([
              load.run(seed, forMs, signal),
              faultRun.run(faultPlan(network.plan, seed, forMs), signal),
              tell(options, { watch, outcomes, run }, signal)
            ])
            await watch.during(work, signal)
          },
          forMs + LAST_OPERATIONS_MS
        ),
        action('nobody does anything for a minute', async signal => {
          await faults.revertAll()
          await watch.during(clock.wait(QUIET_MS, signal), signal)
        }),
        ...endOf(run, watch),
        action('note what was seen', async () => measureSeen(run, watch)),
        ...Object.entries(judge).map(([name, judged]) => verdict(name, async () => judged(seen!)))
      ]
    }
  }
  return { scenario, seen: () => seen }
}

/** What must become so once nobody hurts the network any more. */
function endOf({ network, work }: ScenarioRun, watch: Watch) {
  const releases: PublishedRelease[] = []
  return [
    expectation(
      'all nodes are well',
      signal => work.firstFault(network.nodes, work.enoughPeers, signal),
      SETTLE_MS
    ),
    action('each publisher publishes once more', async signal => {
      for (const publisher of work.nodes('publisher'))
        releases.push(await work.publish(publisher, LAST_RELEASE_BYTES, signal))
    }),
    expectation(
      'all libraries are equal to their originals',
      async signal => {
        const peerIdOf = (name: string): string => network.node(name).peerId
        const all = await Promise.all(network.nodes.map(node => librariesOf(node, peerIdOf, signal)))
        const found = differences(all)
        return found.length === 0 ? undefined : found.join('; ')
      },
      SETTLE_MS
    ),
    action(
      'everybody fetches these releases',
      async signal => {
        for (const node of network.nodes)
          for (const release of releases) await work.fetch(node, release, signal)
      },
      SETTLE_MS
    ),
    action('all nodes are looked at once more', signal => watch.lookAtAll(signal))
  ]
}

async function tell(
  { forMs, onProgress }: SoakOptions,
  { watch, outcomes, run: { clock, faults } }: { watch: Watch; outcomes: Outcomes; run: ScenarioRun },
  signal: AbortSignal
): Promise<void> {
  const endMs = clock.monotonicMs() + forMs
  const everyMs = Math.min(PROGRESS_MS, forMs * PROGRESS_SHARE)
  while (clock.monotonicMs() + everyMs <= endMs) {
    await clock.wait(everyMs, signal)
    const minutes = Math.round(watch.sinceStartMs / SECOND_MS / 6) / 10
    const failed = Object.values(outcomes.failed).reduce((sum, count) => sum + count, 0)
    const memory = watch.histories.map(history => `${history.name} ${memoryNow(history)}`).join(', ')
    onProgress?.(
      `${minutes} min: ${outcomes.done} operations, ${failed} failed, ${faults.results.length} faults; MiB: ${memory}`
    )
  }
}

const memoryNow = ({ lives }: NodeHistory): string => {
  const rss = lives.at(-1)?.rss.points.at(-1)?.value
  return rss === undefined ? '-' : String(Math.round(rss / MIB))
}

/** As figures of the run, a few for each node. */
function measureSeen({ measures }: ScenarioRun, { histories, referenceLoop }: Watch): void {
  for (const { name, lives, loop } of histories) {
    for (const life of lives) {
      for (const { value } of life.rss.points) measures.add(`memory of ${name}`, value, 'bytes')
      for (const { value } of life.files.points) measures.add(`open files of ${name}`, value, 'count')
      const rss = growthOf(life, ({ rss }) => rss)
      const files = growthOf(life, ({ files }) => files)
      if (rss !== undefined)
        measures.add(`memory an hour of ${name}, KiB`, (rss.perMs * HOUR_MS) / KIB, 'count')
      if (files !== undefined) measures.add(`open files an hour of ${name}`, files.perMs * HOUR_MS, 'count')
    }
    for (const { value } of loop.points) measures.add(`event loop p99 of ${name}`, value)
  }
  for (const { value } of referenceLoop.points) measures.add('event loop p99 of the reference thread', value)
}
