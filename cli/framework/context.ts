import path from 'node:path'
import { CatalogError, type ExitCode } from '../../base/index.ts'
import type { AdminClient } from '../client/client.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'
import type { ProgramSpec } from './program.ts'
import type { Progress } from './progress.ts'

/** What every command is given: where it runs, how it talks, and the signal that ends it (Ctrl-C, --timeout). */
export interface Context {
  readonly io: Io
  /** The command tree itself. */
  readonly program: ProgramSpec
  readonly output: Output
  readonly progress: Progress
  /** The Catalog home, absolute. */
  readonly home: string
  readonly signal: AbortSignal
  /** What is left of the time that --timeout gives the command, at least 1; undefined without it. */
  remainingMs(): number | undefined
  /** Set by a command whose result is itself bad news (`verify`, `doctor`): it is shown as a result, not as an error. */
  exitCode: ExitCode
  /** The client of this home's daemon; made once, connects with its first request. */
  client(): AdminClient
}

/** An absolute path from what was typed. An empty one is a variable that was not set, and never means this folder. */
export function resolvePath(context: Context, typed: string): string {
  if (typed === '')
    throw new CatalogError('INVALID_ARGUMENT', 'a path is empty', { hint: 'for this folder, give .' })
  return path.resolve(context.io.cwd, typed)
}
