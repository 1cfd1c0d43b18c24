import { spawnSync } from 'node:child_process'
import { CatalogError } from '../base/index.ts'

/** Runs a tool of the system to its end. ABORTED when a signal ended it, as Ctrl-C reaches all that a terminal runs; else an error with what it said. */
export function runTool(command: string, args: readonly string[]): void {
  const { status, signal, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (signal !== null) throw new CatalogError('ABORTED', `${command} was ended by ${signal}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
