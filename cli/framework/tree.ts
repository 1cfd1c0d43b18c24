import type { Context } from './context.ts'

/** What a command does once its words are parsed: `args` in the order of the spec, `options` by camel-cased name. */
export type CommandRun = (
  context: Context,
  args: unknown[],
  options: Record<string, unknown>
) => Promise<void>

/** A module under cli/commands/ that is loaded only when its command is given. */
export interface CommandModule {
  run: CommandRun
}

export type Completion = 'file' | 'directory'

export interface OptionSpec {
  /** As commander reads it: `--wait <n>`, `--frozen`. */
  flags: string
  description: string
  /** Turns the text into a value; throws CatalogError INVALID_ARGUMENT. */
  parse?: (text: string) => unknown
  choices?: readonly string[]
  /** May be given several times (or with several values); collected into a list. */
  repeat?: boolean
  complete?: Completion
}

export interface ArgumentSpec {
  /** `<dir>`, `[spec]`, `<spec...>`. */
  name: string
  description: string
  choices?: readonly string[]
  complete?: Completion
}

/**
 * One command of the tree. The program, its help, docs/cli.md and the shell completions are all made from this data,
 * so that they cannot disagree.
 */
export interface CommandSpec {
  name: string
  /** One line for lists of commands. */
  summary: string
  /** Paragraphs for the command's own help and docs/cli.md. */
  details?: string
  arguments?: ArgumentSpec[]
  options?: OptionSpec[]
  /** Whole command lines, each with what it does. */
  examples?: Array<{ line: string; does: string }>
  /** Works without a daemon. */
  offline?: boolean
  /** Fields of the JSON document, for docs/cli.md. */
  json?: string
  load?: () => Promise<CommandModule>
  commands?: CommandSpec[]
}

/**
 * Gives a command's function its own argument and option types. The one place where what commander parsed is cast:
 * the spec beside it in the tree says the same types.
 */
export function defineCommand<Args extends unknown[], Options extends object>(
  run: (context: Context, args: Args, options: Options) => Promise<void>
): CommandRun {
  return (context, args, options) => run(context, args as Args, options as Options)
}
