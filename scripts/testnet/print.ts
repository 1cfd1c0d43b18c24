/** What `npm run testnet` prints. */
import { displaySize, plural } from '../../base/index.ts'
import type { Comparison, Figure, RunningNetwork, ScenarioResult, StepResult } from '../../testnet/index.ts'

/** A daemon that does not answer by then is said not to. */
const ANSWER_MS = 3000

export async function nodeTable(network: RunningNetwork, signal: AbortSignal): Promise<string> {
  const rows = await Promise.all(
    network.nodes.map(async node => {
      const { role, region } = node.plan
      const state = await node.state()
      const end = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
      const answer =
        state === 'running'
          ? await node.ask({ method: 'GET', path: '/v1/status' }, end).catch(() => undefined)
          : undefined
      if (answer === undefined) return [node.name, role, region, state, '-', '-', '-']
      const { peers, store, memory } = answer.json
      return [node.name, role, region, state, peers, store.contents, displaySize(memory.rssBytes)].map(String)
    })
  )
  return table([['node', 'role', 'region', 'state', 'peers', 'releases', 'memory'], ...rows])
}

export function printStep({ name, state, tookMs, error }: StepResult): void {
  console.log(
    `  ${state.padEnd(8)} ${seconds(tookMs).padStart(8)}  ${name}${error === undefined ? '' : `: ${error}`}`
  )
}

export function printResult({ scenario, state, tookMs, figures, faults, reason }: ScenarioResult): void {
  for (const { description, appliedAtMs, revertedAtMs, error } of faults) {
    const until = error ?? (revertedAtMs === undefined ? 'not taken back' : `until ${seconds(revertedAtMs)}`)
    console.log(`  fault    ${seconds(appliedAtMs).padStart(8)}  ${description}, ${until}`)
  }
  const rows = Object.entries(figures).map(([name, figure]) => [name, ...figureRow(figure)])
  if (rows.length > 0) console.log(`\n${table([['', 'count', 'p50', 'p95', 'p99'], ...rows])}`)
  const why = reason === undefined ? '' : ` (${reason})`
  console.log(`\n${scenario}: ${state} after ${seconds(tookMs)}${why}`)
}

export function printComparison({ earlierRuns, figures }: Comparison): void {
  console.log(`\nagainst ${plural(earlierRuns, 'earlier run')}:`)
  const rows = figures.map(({ figure, percentile, verdict, reason }) => [
    `${figure}, ${percentile}`,
    verdict,
    reason
  ])
  console.log(table([['figure', 'verdict', 'because'], ...rows]))
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function figureRow({ unit, count, p50, p95, p99 }: Figure): string[] {
  const show = (value: number): string =>
    unit === 'bytes' ? displaySize(value) : `${Math.round(value)}${unit === 'ms' ? ' ms' : ''}`
  return [String(count), ...[p50, p95, p99].map(show)]
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map(row => row[at]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
