/** What `npm run simulate -- --mirror` does: simulations of mirroring, from a seed on, with their figures (docs/mirror.md). */
import { displayDuration, displaySize, SECOND_MS } from '../base/index.ts'
import {
  type MirrorFigures,
  repairRatio,
  SimulationFailure,
  simulateMirror
} from '../testnet/simulator/index.ts'

export interface MirrorRunOptions {
  readonly seeds: readonly string[]
  readonly nodes: number
  readonly steps: number
  readonly trace: boolean
}

/** Between two lines that say how far a run is. */
const PROGRESS_MS = 10 * SECOND_MS

/** Whether all simulations held. */
export async function runMirror({ seeds, nodes, steps, trace }: MirrorRunOptions): Promise<boolean> {
  const print = trace ? (line: string): void => console.log(line) : undefined
  for (const seed of seeds) {
    const startMs = performance.now()
    let nextMs = startMs + PROGRESS_MS
    try {
      const figures = await simulateMirror({
        seed,
        nodes,
        steps,
        ...(print && { print }),
        onProgress: ({ step, virtualMs, plans }) => {
          if (performance.now() < nextMs) return
          nextMs = performance.now() + PROGRESS_MS
          console.error(
            `seed ${seed}: step ${step} of ${steps}, ${displayDuration(virtualMs)} virtual, ${plans} plans`
          )
        }
      })
      report(seed, figures, performance.now() - startMs)
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error
      console.error(`the last things that happened:\n${error.lines.join('\n')}\n`)
      console.error(`FAILED: ${error.message}`)
      console.error(
        `again:  npm run simulate -- --mirror --seed ${seed} --nodes ${nodes} --steps ${steps} --trace`
      )
      return false
    }
  }
  return true
}

function report(seed: string, figures: MirrorFigures, tookMs: number): void {
  const { copies, lost, short, proofs } = figures
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none'
  const made = Object.entries(copies).map(
    ([kind, { count, bytes }]) => `${count} ${kind} (${displaySize(bytes)})`
  )
  console.log(
    `seed ${seed}: ${figures.nodes} nodes, ${figures.hostile} of them hostile, ${figures.releases} releases; ${figures.steps} steps`
  )
  console.log(`  steps      ${list(figures.taken)}`)
  console.log(
    `  time       ${displayDuration(figures.virtualMs)} virtual in ${displayDuration(tookMs)}; ${figures.events} events, ${figures.plans} plans`
  )
  console.log(`  copies     ${made.join(', ') || 'none'}; ${figures.failedTransfers} transfers failed`)
  console.log(`  dropped    ${list(figures.dropped)}`)
  console.log(
    `  lost       ${lost.copies} copies (${displaySize(lost.bytes)}); repair traffic ${repairRatio(figures).toFixed(2)} x that; ${figures.extinct} releases of which nothing is left`
  )
  console.log(
    `  below min  ${short.times} times, for ${displayDuration(short.longestMs)} at most; quiet ${displayDuration(figures.quietAfterMs)} after the last step`
  )
  console.log(
    `  proofs     ${proofs.passed} passed, ${proofs.failed} failed; largest load ${figures.mostLoad.toFixed(2)} x its weight`
  )
}
