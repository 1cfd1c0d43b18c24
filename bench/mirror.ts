/**
 * `npm run bench -- mirror [--quick]`: what it costs to decide who holds what, at 100,000 releases and 1,000 members: a planner made from nothing, the
 * first plan, a plan when nothing has changed, and after one change of each kind; then simulations (docs/mirror.md) with their figures
 * beside what mirroring is held to. Times are CPU of this process beside wall time: on a busy machine only the first says anything.
 */
import { HOUR_MS, MINUTE_MS } from '../base/index.ts'
import { type Candidate, type Member, MirrorPlanner, type MirrorPolicy } from '../mirror/index.ts'
import { contentOf, exampleCandidate, MIRROR_POLICY, repairRatio, simulateMirror } from '../testnet/index.ts'
import { sha256 } from '../trust/index.ts'
import { type Row, report, round } from './support/report.ts'

const NOW_MS = 1_767_225_600_000
const CHANGES = 40
const POLICY: MirrorPolicy = { ...MIRROR_POLICY, quotaBytes: 0, repairBudgetBytes: 1e12 }

export const run = async (args: string[]): Promise<void> => {
  const isQuick = args.includes('--quick')
  const [releases, members] = isQuick ? [10_000, 200] : [100_000, 1000]
  const rows = measurePlanner(releases, members)
  const worlds = isQuick ? [{ nodes: 30, steps: 100 }] : [30, 100].map(nodes => ({ nodes, steps: 3 * nodes }))
  for (const world of worlds) rows.push(...(await measureWorld(world.nodes, world.steps)))
  report('mirror', { releases, members, worlds }, rows)
}

const memberOf = (number: number, capacityClass = 3 + (number % 3)): Member => ({
  peer: `peer ${number}`,
  key: sha256(Buffer.from(`member ${number}`)),
  region: `region-${number % 5}`,
  capacityClass
})

const candidateOf = (number: number, have: Candidate['have'] = 'nothing'): Candidate =>
  exampleCandidate(contentOf(`content ${number}`), {
    name: `package-${number}`,
    owner: `owner-${number % 1000}`,
    have
  })

/** Wall and CPU milliseconds. */
const timed = (work: () => void): { wallMs: number; cpuMs: number } => {
  const [began, used] = [performance.now(), process.cpuUsage()]
  work()
  const { user, system } = process.cpuUsage(used)
  return { wallMs: performance.now() - began, cpuMs: (user + system) / 1000 }
}

const row = (name: string, times: ReadonlyArray<{ wallMs: number; cpuMs: number }>, target = ''): Row => {
  const median = (of: 'wallMs' | 'cpuMs'): number =>
    times.map(time => time[of]).sort((a, b) => a - b)[times.length >> 1]!
  return { name, wallMs: round(median('wallMs'), 2), cpuMs: round(median('cpuMs'), 2), target }
}

/** The median of many times. */
const often = (work: (time: number) => void): Array<{ wallMs: number; cpuMs: number }> =>
  Array.from({ length: CHANGES }, (_, time) => timed(() => work(time)))

function measurePlanner(releases: number, size: number): Row[] {
  const members = Array.from({ length: size }, (_, number) => memberOf(number))
  const candidates = Array.from({ length: releases }, (_, number) => candidateOf(number))
  const planner = new MirrorPlanner({ self: members[0]!, policy: POLICY })
  planner.setMembers('all', members)
  const learn = timed(() => {
    for (const candidate of candidates) planner.setRelease(candidate, NOW_MS)
  })
  const concerns = planner.unlooked(releases)
  const hold = timed(() => holdAll(planner, concerns, members))
  const first = timed(() => void planner.plan(NOW_MS))
  const byContent = new Map(candidates.map((candidate, number) => [candidate.content.toString(), number]))
  const taken = planner.plan(NOW_MS).actions.map(({ content }) => byContent.get(content.toString())!)
  for (const number of taken) planner.setRelease(candidateOf(number, 'mirror'), NOW_MS)
  planner.plan(NOW_MS)
  const still = often(() => void planner.plan(NOW_MS))
  const away = often(time => {
    const state = { presentSinceMs: NOW_MS, ...(time % 2 === 0 ? { awaySinceMs: NOW_MS } : {}) }
    planner.setPeer(members[1 + (time >> 1)]!.peer, state)
    planner.plan(NOW_MS)
  })
  const proof = often(time => {
    planner.prove(concerns[time % concerns.length]!, members[1]!.peer, NOW_MS)
    planner.plan(NOW_MS)
  })
  const release = often(time => {
    planner.setRelease(candidateOf(releases + time), NOW_MS)
    planner.plan(NOW_MS)
  })
  const member = often(time => {
    planner.setMembers('all', time % 2 === 0 ? members.toSpliced(1 + time, 1) : members)
    planner.plan(NOW_MS)
  })
  const reclass = often(time => {
    planner.setMembers('all', members.with(1 + time, memberOf(1 + time, 2)))
    planner.plan(NOW_MS)
  })
  const everything = often(time => {
    planner.setPolicy({ ...POLICY, graceMs: POLICY.graceMs + time }, NOW_MS)
    planner.plan(NOW_MS)
  })
  return [
    row(`${releases} releases learnt and ranked among ${size} members, once`, [learn]),
    row(`${concerns.length} of them are a concern: three holders of each heard, once`, [hold]),
    row('first plan', [first]),
    row('plan, nothing changed', still, '< 10 ms'),
    row('plan after a proof', proof, '< 10 ms'),
    row('plan after a peer went or came back', away, '< 10 ms'),
    row('plan after a new release', release, '< 10 ms'),
    row('plan after a member came or went', member, '< 10 ms'),
    row('plan after two members changed class', reclass),
    row('plan with everything decided anew (policy)', everything)
  ]
}

function holdAll(planner: MirrorPlanner, contents: readonly string[], members: readonly Member[]): void {
  for (const [at, content] of contents.entries()) {
    for (let holder = 0; holder < 3; holder++)
      planner.prove(content, members[1 + ((7 * at + holder) % (members.length - 1))]!.peer, NOW_MS - HOUR_MS)
    planner.setKnown(content, NOW_MS)
  }
}

async function measureWorld(nodes: number, steps: number): Promise<Row[]> {
  const began = performance.now()
  const figures = await simulateMirror({ seed: '1', nodes, steps })
  const wallMs = round(performance.now() - began)
  const { short, lost } = figures
  const name = `${nodes} nodes, ${round(figures.virtualMs / HOUR_MS)} hours, ${lost.copies} copies lost`
  const figure = (what: string, value: string, target: string): Row => ({
    name: `${name}: ${what}`,
    value,
    target
  })
  return [
    { ...figure('plans', String(figures.plans), ''), wallMs },
    figure('bytes of repair for each that was lost', repairRatio(figures).toFixed(2), '<= 1.3'),
    figure(
      'longest time below min',
      `${round(short.longestMs / MINUTE_MS)} min, of ${short.times}`,
      'grace x ranks + transfer'
    ),
    figure('largest load beside its weight', figures.mostLoad.toFixed(2), '<= 2, and scatter'),
    figure('releases of which nothing is left', String(figures.extinct), '0')
  ]
}
