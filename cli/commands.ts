import { CONTENT_COMMANDS } from './commands/content-commands.ts'
import { HOME_COMMANDS } from './commands/home-commands.ts'
import { LIBRARY_COMMANDS } from './commands/library-commands.ts'
import { MIRROR_COMMANDS } from './commands/mirror-commands.ts'
import { NODE_COMMANDS } from './commands/node-commands.ts'
import { RELEASE_COMMANDS } from './commands/release-commands.ts'
import { STORE_COMMANDS } from './commands/store-commands.ts'
import { timeout } from './framework/parse.ts'
import type { CommandSpec, OptionSpec } from './framework/tree.ts'

export const GLOBAL_OPTIONS: OptionSpec[] = [
  {
    flags: '--home <dir>',
    description: "the node's home (else CATALOG_HOME, else the platform's data folder)",
    complete: 'directory'
  },
  { flags: '--json', description: 'print exactly one JSON document on stdout' },
  { flags: '--quiet', description: 'no notes and no progress bar' },
  {
    flags: '--timeout <duration>',
    description: 'give up after this long, such as 30s or 5m (7d at most)',
    parse: timeout
  },
  {
    flags: '--color <when>',
    description: 'colours on a terminal (NO_COLOR turns them off)',
    choices: ['auto', 'always', 'never']
  },
  {
    flags: '--progress <form>',
    description: 'auto: a bar on a terminal; json: one JSON object per line on stderr',
    choices: ['auto', 'json']
  }
]

/** Every command, in the order in which help and docs/cli.md show them. */
export const COMMANDS: CommandSpec[] = [
  ...HOME_COMMANDS,
  ...NODE_COMMANDS,
  ...CONTENT_COMMANDS,
  ...LIBRARY_COMMANDS,
  ...RELEASE_COMMANDS,
  ...STORE_COMMANDS,
  ...MIRROR_COMMANDS
]
