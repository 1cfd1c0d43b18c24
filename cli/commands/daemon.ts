import type { ExitCode } from '../../base/index.ts'
import { startDaemon } from '../../node/index.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  listen?: string[]
  bootstrap?: string[]
  network?: string
  /** False with --no-mdns. */
  mdns: boolean
  profile?: string
  set?: Array<[key: string, value: string]>
}

/** Signals, the ready line and the end are the daemon's own business. */
export const run = defineCommand(async (context, _args: [], options: Options) => {
  context.exitCode = (await startDaemon({
    home: context.home,
    env: context.io.env,
    flags: flagsOf(options),
    json: context.output.json,
    colour: context.output.colours(context.io.stderr),
    signal: context.signal
  })) as ExitCode
})

/** The flags as config keys: --set last, because it is the most exact. */
function flagsOf(options: Options): Record<string, unknown> {
  return {
    ...(options.listen === undefined ? {} : { 'network.listen': options.listen }),
    ...(options.bootstrap === undefined ? {} : { 'network.bootstrap': options.bootstrap }),
    ...(options.network === undefined ? {} : { 'network.id': options.network }),
    ...(options.mdns ? {} : { 'mdns.enabled': false }),
    ...(options.profile === undefined ? {} : { 'network.profile': options.profile }),
    ...Object.fromEntries(options.set ?? [])
  }
}
