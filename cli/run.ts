import { CatalogError, ExitCode, toCatalogError } from '../base/index.ts'
import { AdminClient } from './client/client.ts'
import { adminSocketOf, defaultSocketOf } from './client/socket.ts'
import { COMMANDS, GLOBAL_OPTIONS } from './commands.ts'
import type { Context } from './framework/context.ts'
import { resolveHome } from './framework/home.ts'
import { exitStatusOf } from './framework/interrupt.ts'
import type { Io } from './framework/io.ts'
import { type ColorMode, Output } from './framework/output.ts'
import {
  type GlobalOptions,
  type Invocation,
  type ProgramSpec,
  parseCommandLine
} from './framework/program.ts'
import { Progress, type ProgressMode } from './framework/progress.ts'
import { CATALOG_VERSION } from './version.ts'

const PROGRAM: ProgramSpec = {
  version: CATALOG_VERSION,
  description:
    'A peer-to-peer package library: publish a folder as a signed release, find it by name, fetch it from many peers, verify every byte, install it.',
  commands: COMMANDS,
  globals: GLOBAL_OPTIONS
}

/**
 * Runs one command line and returns its exit status; never throws. `signal` ends it early, as Ctrl-C does: what runs at
 * the daemon is cancelled there.
 */
export async function run(argv: string[], io: Io, signal: AbortSignal): Promise<number> {
  let output = new Output(io, { ...wordsGiven(argv), color: 'auto' })
  let client: AdminClient | undefined
  try {
    refusePlatform(io.platform)
    const invocation = parseCommandLine(PROGRAM, argv, io)
    if (invocation === undefined) return ExitCode.Done
    const { globals } = invocation
    output = new Output(io, outputOptions(globals))
    const home = resolveHome(io, globals.home)
    const socketPath =
      invocation.spec.offline === true ? defaultSocketOf(home) : await adminSocketOf(home, io.env)
    const context: Context = {
      io,
      program: PROGRAM,
      output,
      home,
      progress: new Progress(io, progressMode(globals, io)),
      signal: withTimeout(signal, globals.timeout),
      remainingMs: remaining(globals.timeout),
      exitCode: ExitCode.Done,
      client: () => {
        client ??= new AdminClient({ socketPath })
        return client
      }
    }
    await execute(invocation, context)
    return context.exitCode
  } catch (error) {
    const shown = toCatalogError(error)
    output.error(shown)
    return exitStatusOf(shown)
  } finally {
    client?.close()
  }
}

async function execute(invocation: Invocation, context: Context): Promise<void> {
  try {
    const module = await invocation.spec.load?.()
    await module?.run(context, invocation.args, invocation.options)
  } catch (error) {
    // What a broken-off request says matters less than why it was broken off.
    throw context.signal.aborted ? context.signal.reason : error
  } finally {
    context.progress.clear()
  }
}

/** --json and --quiet as typed, for errors that come before or from the parsing itself. */
function wordsGiven(argv: string[]): { json: boolean; quiet: boolean } {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  return { json: words.includes('--json'), quiet: words.includes('--quiet') }
}

function outputOptions(globals: GlobalOptions): { json: boolean; quiet: boolean; color: ColorMode } {
  return { json: globals.json === true, quiet: globals.quiet === true, color: globals.color ?? 'auto' }
}

function progressMode(globals: GlobalOptions, io: Io): ProgressMode {
  if (globals.progress === 'json') return 'json'
  return globals.quiet !== true && io.stderr.isTTY === true ? 'bar' : 'none'
}

function withTimeout(signal: AbortSignal, timeoutMs: number | undefined): AbortSignal {
  if (timeoutMs === undefined) return signal
  const controller = new AbortController()
  const timer = setTimeout(() => {
    const details = { limitOf: 'command' }
    controller.abort(
      new CatalogError('TIMEOUT', `the command did not finish within ${timeoutMs} ms`, { details })
    )
  }, timeoutMs)
  timer.unref()
  return AbortSignal.any([signal, controller.signal])
}

/** Tells the time that is left of `timeoutMs` from now on. */
function remaining(timeoutMs: number | undefined): () => number | undefined {
  if (timeoutMs === undefined) return () => undefined
  const endMs = performance.now() + timeoutMs
  return () => Math.max(1, Math.ceil(endMs - performance.now()))
}

function refusePlatform(platform: NodeJS.Platform): void {
  if (platform === 'win32') {
    throw new CatalogError('UNSUPPORTED', 'Catalog does not run on Windows', {
      hint: 'run it in WSL 2, on Linux or on macOS'
    })
  }
}
