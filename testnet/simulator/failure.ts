/** What a simulation was run with. */
interface Run {
  readonly seed: string
  readonly nodes: number
  readonly steps: number
}

/** A simulation in which something was wrong: the same options show it again. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly options: Run
  /** The last things to happen. */
  readonly lines: readonly string[]

  constructor(cause: unknown, step: number, options: Run, lines: readonly string[]) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${options.seed}, step ${step} of ${options.steps}, ${options.nodes} nodes: ${what}`, {
      cause
    })
    this.options = options
    this.lines = lines
  }
}
