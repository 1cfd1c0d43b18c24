import { CatalogError, DAY_MS, ExitCode } from '../../base/index.ts'
import { AdminClient } from '../client/client.ts'
import { adminSocketOf } from '../client/socket.ts'
import type { DoctorCheck } from '../client/types.ts'
import { offlineChecks } from '../doctor/checks.ts'
import type { Context } from '../framework/context.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  full?: boolean
}

/** A terabyte at the speed of a slow disk; --timeout ends it earlier. */
const FULL_TIMEOUT_MS = 7 * DAY_MS
const MARKS = { ok: 'ok  ', warn: 'warn', error: 'FAIL' } as const
const COLOURS = { ok: 'green', warn: 'yellow', error: 'red' } as const

export const run = defineCommand(async (context, _args: [], { full = false }: Options) => {
  const daemon = await daemonChecks(context, full)
  const isRunning = daemon.some(({ name, ok }) => name === 'daemon' && ok)
  const options = { isRunning, isFull: full, signal: context.signal }
  const checks = [...(await offlineChecks(context.home, context.io.env, options)), ...daemon]
  const ok = checks.every(({ level }) => level !== 'error')
  if (!ok) context.exitCode = ExitCode.Failed
  context.output.result({ ok, checks }, () =>
    checks
      .map(({ level, name, message, hint }) => {
        const mark = context.output.style(COLOURS[level], MARKS[level])
        const advice = hint === undefined || level === 'ok' ? '' : `\n        ${printable(hint)}`
        return `${mark}  ${name}: ${printable(message)}${advice}`
      })
      .join('\n')
  )
})

/** What the daemon finds from inside; one check that says so when there is none. */
async function daemonChecks(context: Context, isFull: boolean): Promise<DoctorCheck[]> {
  let client: AdminClient | undefined
  try {
    const socketPath = await adminSocketOf(context.home, context.io.env)
    client = new AdminClient({ socketPath })
    const { checks } = await client.request<{ checks: DoctorCheck[] }>('GET', '/v1/doctor', {
      // It hashes all that the store has.
      ...(isFull ? { query: { full: true }, timeoutMs: FULL_TIMEOUT_MS } : {}),
      signal: context.signal
    })
    return [{ name: 'daemon', ok: true, level: 'ok', message: `answers on ${socketPath}` }, ...checks]
  } catch (error) {
    if (context.signal.aborted || !(error instanceof CatalogError)) throw error
    const level = error.code === 'NO_DAEMON' ? 'warn' : 'error'
    return [{ name: 'daemon', ok: false, level, message: error.message, hint: error.hint }]
  } finally {
    client?.close()
  }
}
