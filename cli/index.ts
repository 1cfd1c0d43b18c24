/**
 * The command line: a thin client of the admin API. It reads words, asks the daemon on the home's socket, and shows what
 * comes back as text or as one JSON document; folders it reads and writes itself, as the calling user. It keeps no state,
 * opens no database and talks to no peer. `main.ts` runs it in a process; `run` runs it anywhere, for tests; the
 * command tree makes docs/cli.md.
 */
export { COMMANDS, GLOBAL_OPTIONS } from './commands.ts'
export { cliPage } from './docs.ts'
export type { Io, OutputStream } from './framework/io.ts'
export type { CommandSpec, OptionSpec } from './framework/tree.ts'
export { run } from './run.ts'
