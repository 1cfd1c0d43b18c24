/** `npm run simulate -- [options]`: simulations of sync or mirroring, from a seed on, with their figures (docs/sync.md, docs/mirror.md). `--help` says more. */
import { parseArgs } from 'node:util'
import { displaySize, SECOND_MS, toCatalogError } from '../base/index.ts'
import {
  type Figures,
  MODES,
  type Mode,
  type Progress,
  SimulationFailure,
  simulate
} from '../testnet/simulator/index.ts'
import { runMirror } from './simulate-mirror.ts'

const USAGE = `npm run simulate -- [--seed S] [--nodes N] [--steps N] [--mode join|follow | --mirror] [--seeds N] [--trace]

Runs simulations of sync, or with --mirror of mirroring, over a virtual clock, network and disk; the seed decides everything that happens. Ends at the first
that fails, with 1, and says how to see it again.

  --seed S     any text; the first number where there are several seeds (1)
  --nodes N    nodes that join in the course of it (12)
  --steps N    things that happen, until all of it must come to rest (500)
  --mode M     join: all nodes keep one set; follow: each has a library, and copies of those of its neighbours (join)
  --mirror     mirroring: nodes with copies of releases, that come, go, lie and fill up; hundreds of them are meant for it
  --seeds N    so many simulations, with the numbers from S on (1)
  --trace      prints everything that happens
  --help       prints this
`

/** Wall time until a run says how far it is, and then between two lines. */
const FIRST_PROGRESS_MS = 5 * SECOND_MS
const PROGRESS_MS = 10 * SECOND_MS

interface Options {
  readonly seed: string
  readonly nodes: number
  readonly steps: number
  readonly mode: Mode
  readonly mirror: boolean
  readonly seeds: number
  readonly trace: boolean
  readonly help: boolean
}

/** Throws for what no option is. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '12' },
      steps: { type: 'string', default: '500' },
      mode: { type: 'string' },
      mirror: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '1' },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const countOf = (option: 'nodes' | 'steps' | 'seeds'): number => {
    const count = Number(values[option])
    if (!Number.isSafeInteger(count) || count < 1)
      throw new Error(`--${option} ${values[option]} is no number from 1 on`)
    return count
  }
  if (values.mirror && values.mode !== undefined) throw new Error('--mode is for sync, and --mirror is not')
  const mode = MODES.find(known => known === (values.mode ?? 'join'))
  if (mode === undefined) throw new Error(`--mode ${values.mode} is none of ${MODES.join(', ')}`)
  const seeds = countOf('seeds')
  if (seeds > 1 && !Number.isSafeInteger(Number(values.seed)))
    throw new Error(`--seed ${values.seed} is no number that ${seeds} seeds could be counted from`)
  const { seed, mirror, trace, help } = values
  return { seed, nodes: countOf('nodes'), steps: countOf('steps'), mode, mirror, seeds, trace, help }
}

/** Whether all simulations held. */
async function run(options: Options): Promise<boolean> {
  const { seed, seeds, nodes, steps, trace } = options
  const all = Array.from({ length: seeds }, (_, at) => (seeds === 1 ? seed : String(Number(seed) + at)))
  return options.mirror ? await runMirror({ seeds: all, nodes, steps, trace }) : await runSync(all, options)
}

async function runSync(seeds: readonly string[], { nodes, steps, mode, trace }: Options): Promise<boolean> {
  const print = trace ? (line: string): void => console.log(line) : undefined
  for (const seed of seeds) {
    const startMs = performance.now()
    try {
      const onProgress = progressOf(seed, steps)
      const figures = await simulate({ seed, nodes, steps, mode, onProgress, ...(print && { print }) })
      report(seed, mode, figures, performance.now() - startMs)
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error
      console.error(`the last things that happened:\n${error.lines.join('\n')}\n`)
      console.error(`FAILED: ${error.message}`)
      console.error(
        `again:  npm run simulate -- --seed ${seed} --nodes ${nodes} --steps ${steps} --mode ${mode} --trace`
      )
      return false
    }
  }
  return true
}

/** Says on stderr now and then how far a long run has come. */
function progressOf(seed: string, steps: number): (progress: Progress) => void {
  let nextMs = performance.now() + FIRST_PROGRESS_MS
  return ({ step, virtualMs, nodes, records, sessions }) => {
    if (performance.now() < nextMs) return
    nextMs = performance.now() + PROGRESS_MS
    const heap = displaySize(process.memoryUsage.rss())
    console.error(
      `seed ${seed}: step ${step} of ${steps}, ${seconds(virtualMs)} virtual, ${nodes} nodes, ${records} records, ${sessions} sessions, ${heap} in memory`
    )
  }
}

const seconds = (ms: number): string => `${(ms / SECOND_MS).toFixed(1)} s`

function report(seed: string, mode: Mode, figures: Figures, tookMs: number): void {
  const { heads, sessions, network, records } = figures
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none'
  console.log(
    `seed ${seed}: ${figures.honest} honest nodes and ${figures.hostile} hostile ones; ${figures.steps} steps`
  )
  console.log(`  steps      ${list(figures.taken)}`)
  console.log(
    `  time       ${seconds(figures.virtualMs)} virtual in ${seconds(tookMs)}; ${figures.events} events`
  )
  console.log(
    `  converged  ${seconds(figures.convergedAfterMs)} after the last step, ${records} records in ${mode === 'join' ? 'each' : 'the first'} library`
  )
  console.log(
    `  messages   ${network.messages} heads sent (${displaySize(network.messageBytes)}), ${network.lost} lost, ${network.duplicated} twice`
  )
  console.log(`  heads      ${heads.signed} signed; judged: ${list(heads.taken)}; ${heads.refused} refused`)
  console.log(`  streams    ${network.streams} (${displaySize(network.streamBytes)}), ${network.cut} cut`)
  console.log(
    `  sessions   ${sessions.equal} of honest nodes ended equal, after ${(sessions.turns / 2 / Math.max(1, sessions.equal)).toFixed(1)} round trips on average and ${sessions.mostTurns / 2} at most`
  )
  console.log(
    `             failed: ${list(sessions.failed)}; with hostile ones: ${list(sessions.failedWithHostile)}`
  )
  console.log(
    `  closed     libraries shown ${figures.closed.shown} times to who may know of them, and ${figures.closed.refused} times said not to be there`
  )
  console.log(
    `  bytes      ${displaySize(sessions.bytes)} to find differences, ${displaySize(sessions.recordBytes)} of records, of which ${sessions.recordsTaken} joined and ${sessions.recordsHeld} were there already`
  )
}

/** Undefined after it has said what is wrong. */
function optionsOrUsage(): Options | undefined {
  try {
    return readOptions()
  } catch (thrown) {
    console.error(`${toCatalogError(thrown).message}\n\n${USAGE}`)
    return undefined
  }
}

const options = optionsOrUsage()
if (options === undefined) process.exitCode = 2
else if (options.help) console.log(USAGE)
else if (!(await run(options))) process.exitCode = 1
