import { ExitCode, toCatalogError } from '../base/index.ts'
import { interrupted, SIGNAL_STATUS } from './framework/interrupt.ts'
import { run } from './run.ts'

/** A second Ctrl-C does not wait for the farewell to the daemon. */
function installSignals(controller: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(SIGNAL_STATUS[name])
      controller.abort(interrupted(name))
    })
  }
}

/**
 * Whoever reads our output has gone (`catalog list | head`): there is nobody left to tell. A result that a full disk did not
 * take is a failure. Notes are no reason to end: a daemon whose stderr is a file on a disk that is full must live on.
 */
function installBrokenPipes(): void {
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(ExitCode.Done)
    const { code, exitCode, message } = toCatalogError(error)
    process.stderr.write(`catalog: ${code}: the output could not be written: ${message}\n`)
    process.exit(exitCode)
  })
  process.stderr.on('error', () => {})
}

const controller = new AbortController()
installSignals(controller)
installBrokenPipes()
// If nothing is left to wait for and there is no result, something was forgotten: that is no success.
process.exitCode = ExitCode.Failed
void run(
  process.argv.slice(2),
  {
    stdout: process.stdout,
    stderr: process.stderr,
    // Node opens it when it is first asked for, which few commands do.
    get stdin() {
      return process.stdin
    },
    env: process.env,
    platform: process.platform,
    cwd: process.cwd()
  },
  controller.signal
).then(exitCode => {
  // That the output was not taken is said a turn later.
  setImmediate(() => process.exit(exitCode))
})
