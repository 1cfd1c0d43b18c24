/**
 * `npm run simulate -- [--seed S] [--nodes N] [--steps N] [--mode join|follow] [--seeds N] [--trace]`: simulations of sync, from
 * seed S on, with their figures. Ends at the first that fails, with 1, and says how to see it again.
 */
import { parseArgs } from 'node:util'
import { displaySize, SECOND_MS } from '../base/index.ts'
import { type Figures, MODES, SimulationFailure, simulate } from '../testnet/simulator/index.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '50' },
    steps: { type: 'string', default: '10000' },
    mode: { type: 'string', default: 'join' },
    seeds: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false }
  }
})

const countOf = (text: string, option: string): number => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--${option} ${text} is no number from 1 on`)
  return count
}
const nodes = countOf(values.nodes, 'nodes')
const steps = countOf(values.steps, 'steps')
const mode = MODES.find(known => known === values.mode)
if (mode === undefined) throw new Error(`--mode ${values.mode} is none of ${MODES.join(', ')}`)
const seeds = countOf(values.seeds, 'seeds')
const print = values.trace ? (line: string): void => console.log(line) : undefined

for (let number = 0; number < seeds; number++) {
  // One seed may be any text; several are counted.
  const seed = seeds === 1 ? values.seed : String(Number(values.seed) + number)
  const startMs = performance.now()
  try {
    report(
      seed,
      await simulate({ seed, nodes, steps, mode, ...(print && { print }) }),
      performance.now() - startMs
    )
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error
    console.error(`the last things that happened:\n${error.lines.join('\n')}\n`)
    console.error(`FAILED: ${error.message}`)
    console.error(
      `again:  npm run simulate -- --seed ${seed} --nodes ${nodes} --steps ${steps} --mode ${mode} --trace`
    )
    process.exitCode = 1
    break
  }
}

function report(seed: string, figures: Figures, tookMs: number): void {
  const { heads, sessions, network, records } = figures
  const seconds = (ms: number): string => `${(ms / SECOND_MS).toFixed(1)} s`
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
