import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { CatalogError } from '../../base/index.ts'
import type { Io } from './io.ts'
import type { ArgumentSpec, CommandSpec, OptionSpec } from './tree.ts'

/** What the words on the command line asked for. */
export interface Invocation {
  spec: CommandSpec
  args: unknown[]
  options: Record<string, unknown>
  globals: GlobalOptions
}

export interface GlobalOptions {
  home?: string
  json?: boolean
  quiet?: boolean
  timeout?: number
  color?: 'auto' | 'always' | 'never'
  progress?: 'auto' | 'json'
}

export interface ProgramSpec {
  version: string
  description: string
  commands: CommandSpec[]
  globals: OptionSpec[]
}

const PROGRAM_NAME = 'catalog'
const HELP_FLAG = '--help'
/** Every command takes the global options too, so that they may stand before or after it. */
const GLOBAL_HEADING = 'Global options:'
/** What commander says when a command is missing, and it would show the help instead. */
const MISSING_CODE = 'commander.help'
/** Help or the version was asked for and is printed: nothing is left to do. */
const DONE_CODES = new Set(['commander.helpDisplayed', 'commander.version'])

/**
 * Reads the command line: undefined when it was only help or --version, which are printed here. A wrong word is an
 * INVALID_ARGUMENT with the nearest right one.
 */
export function parseCommandLine(spec: ProgramSpec, argv: string[], io: Io): Invocation | undefined {
  let invocation: Invocation | undefined
  const program = buildProgram(spec, io, (command, chosen) => {
    invocation = {
      spec: chosen,
      args: command.processedArgs,
      options: command.opts(),
      globals: globalsOf(command)
    }
  })
  try {
    program.parse(withoutHelpWord(spec.commands, argv), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      if (DONE_CODES.has(error.code) || error.exitCode === 0) return undefined
      const group = groupOf(spec.commands, argv)
      if (error.code === MISSING_CODE) {
        if (group === PROGRAM_NAME && !argv.includes('--json'))
          io.stderr.write(`${program.helpInformation()}\n`)
        throw new CatalogError('INVALID_ARGUMENT', 'a command is missing', {
          hint: `\`${group} --help\` lists them`
        })
      }
      throw usageError(error, group)
    }
    throw error
  }
  return invocation
}

/**
 * `help peers limit` and `peers help limit` as `peers limit --help`: commander's own looks at one word only. A word that is no
 * command is left for it to refuse.
 */
function withoutHelpWord(commands: CommandSpec[], argv: string[]): string[] {
  let below: CommandSpec[] | undefined = commands
  for (const [at, word] of argv.entries()) {
    if (word === 'help') {
      const asked = argv.toSpliced(at, 1)
      return reachesCommand(commands, asked) ? [...asked, HELP_FLAG] : asked
    }
    below = below.find(({ name }) => name === word)?.commands
    if (below === undefined) return argv
  }
  return argv
}

/** Whether each word is a command of the one before, until one takes arguments. */
function reachesCommand(commands: CommandSpec[], words: string[]): boolean {
  let below: CommandSpec[] | undefined = commands
  for (const word of words) {
    if (below === undefined) return true
    if (word.startsWith('-')) continue
    const next: CommandSpec | undefined = below.find(({ name }) => name === word)
    if (next === undefined) return false
    below = next.commands
  }
  return true
}

/** The commander program of a tree. */
function buildProgram(
  spec: ProgramSpec,
  io: Io,
  chosen: (command: Command, spec: CommandSpec) => void
): Command {
  const program = new Command(PROGRAM_NAME)
  program
    .description(spec.description)
    .version(spec.version, '-V, --version', 'print the version')
    .addHelpOption(helpOption())
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: text => void io.stdout.write(text),
      // Usage errors are printed by our own renderer, once.
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100
    })
    // Otherwise --version of `publish` would be the program's.
    .enablePositionalOptions()
  for (const option of spec.globals) program.addOption(toOption(option))
  for (const command of spec.commands) addCommand(program, command, spec.globals, chosen)
  return program
}

function addCommand(
  parent: Command,
  spec: CommandSpec,
  globals: OptionSpec[],
  chosen: (command: Command, spec: CommandSpec) => void
): void {
  const command = parent.command(spec.name)
  command
    .summary(spec.summary)
    .description(spec.details === undefined ? spec.summary : `${spec.summary}\n\n${spec.details}`)
    .addHelpOption(helpOption().helpGroup(GLOBAL_HEADING))
  for (const argument of spec.arguments ?? []) command.addArgument(toArgument(argument))
  for (const option of spec.options ?? []) command.addOption(toOption(option))
  for (const option of globals) command.addOption(toOption(option).helpGroup(GLOBAL_HEADING))
  const examples = (spec.examples ?? []).map(({ line, does }) => `  ${line}\n      ${does}`)
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`)
  for (const child of spec.commands ?? []) addCommand(command, child, globals, chosen)
  if (spec.load !== undefined) command.action(() => chosen(command, spec))
  else command.enablePositionalOptions()
}

const helpOption = (): Option => new Option(`-h, ${HELP_FLAG}`, 'show help')

/** The nearest to the command wins where a global option was given twice. */
function globalsOf(command: Command): GlobalOptions {
  const above = command.parent === null ? {} : globalsOf(command.parent)
  return { ...above, ...command.opts<GlobalOptions>() }
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description)
  if (spec.choices !== undefined) option.choices(spec.choices)
  const { parse } = spec
  if (parse !== undefined || (spec.repeat === true && !option.variadic)) {
    option.argParser((text: string, before: unknown) => {
      const value = parse === undefined ? text : checked(parse, text)
      return spec.repeat === true ? [...((before as unknown[] | undefined) ?? []), value] : value
    })
  }
  return option
}

function toArgument(spec: ArgumentSpec): Argument {
  const argument = new Argument(spec.name, spec.description)
  return spec.choices === undefined ? argument : argument.choices(spec.choices)
}

/** Lets commander name the flag in front of what the parser says is wrong with its value. */
function checked(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof CatalogError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

/** Commands that people look for and that this release has not. */
const LATER: ReadonlySet<string> = new Set(['catalog key rotate'])

/** The command or group of commands that the words reach, whose help says what is right: `catalog peers`. */
function groupOf(commands: CommandSpec[], argv: string[]): string {
  const path = [PROGRAM_NAME]
  let below: CommandSpec[] | undefined = commands
  for (const word of argv) {
    const next: CommandSpec | undefined = below?.find(({ name }) => name === word)
    if (next === undefined) continue
    path.push(next.name)
    below = next.commands
  }
  return path.join(' ')
}

/** `error: unknown option '--froze'\n(Did you mean --frozen?)` becomes a message and a hint. */
function usageError(error: CommanderError, group: string): CatalogError {
  // What was typed is in the message, and may have more lines than one: only the last line can be commander's suggestion.
  const [, text = '', suggestion] =
    /^(?:error: )?(.*?)\.?(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? []
  const unknown = /^unknown command '(.*)'$/s.exec(text)?.[1]
  if (unknown !== undefined && LATER.has(`${group} ${unknown}`))
    return new CatalogError('INVALID_ARGUMENT', `\`${group} ${unknown}\` is not there yet`, {
      hint: 'it comes with a later release'
    })
  return new CatalogError('INVALID_ARGUMENT', text, {
    hint: suggestion === undefined ? `see \`${group} --help\`` : `did you mean ${suggestion}?`
  })
}
