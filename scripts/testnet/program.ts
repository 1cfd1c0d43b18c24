/** What the commands of the testnet have in common as programs: wrong words, signals, and how they end. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ExitCode, toCatalogError } from '../../base/index.ts'

/** Says what is wrong with the words, and which there are, and ends. */
export const usageOf =
  (text: string) =>
  (problem: string): never => {
    console.error(`${problem}\n\n${text}`)
    process.exit(ExitCode.Usage)
  }

export function readWords<const Config extends ParseArgsConfig>(
  config: Config,
  usage: (problem: string) => never
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (thrown) {
    return usage(toCatalogError(thrown).message)
  }
}

/** Runs to its end, or until a signal and what is cleaned up then; `main` gives the status with which the process ends. */
export async function runProgram(
  { name, cleaningUp }: { name: string; cleaningUp: string },
  main: (signal: AbortSignal) => Promise<number>
): Promise<void> {
  const ended = new AbortController()
  // The first one cleans up; who sends a second one means it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      console.error(cleaningUp)
      ended.abort(new Error(signal))
    })
  try {
    process.exitCode = await main(ended.signal)
  } catch (thrown) {
    const { code, exitCode, message, hint } = toCatalogError(thrown)
    console.error(`${name}: ${code}: ${message}; ${hint}`)
    // Wrong words end with 2, whoever finds them wrong; all else with 1.
    process.exitCode = exitCode === ExitCode.Usage ? exitCode : ExitCode.Failed
  }
}
