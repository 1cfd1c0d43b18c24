/**
 * Shell completion from the command tree: for each command line so far, the words that may follow. The three scripts
 * hold the same table; only its form differs.
 */
import { CatalogError } from '../../base/index.ts'
import type { ArgumentSpec, CommandSpec, OptionSpec } from './tree.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/** One command as the shells see it. */
interface Place {
  /** `key create`; empty for the program itself. */
  path: string
  commands: CommandSpec[]
  options: OptionSpec[]
  arguments: ArgumentSpec[]
}

export function completionScript(shell: Shell, commands: CommandSpec[], globals: OptionSpec[]): string {
  const places = placesOf('', commands, [], [], globals)
  switch (shell) {
    case 'bash':
      return bash(places)
    case 'zsh':
      return zsh(places)
    case 'fish':
      return fish(places)
    default:
      throw new CatalogError('INVALID_ARGUMENT', `there is no completion for ${String(shell)}`)
  }
}

function placesOf(
  path: string,
  commands: CommandSpec[],
  options: OptionSpec[],
  args: ArgumentSpec[],
  globals: OptionSpec[]
): Place[] {
  const here: Place = { path, commands, options: [...options, ...globals], arguments: args }
  return [
    here,
    ...commands.flatMap(spec =>
      placesOf(
        path === '' ? spec.name : `${path} ${spec.name}`,
        spec.commands ?? [],
        spec.options ?? [],
        spec.arguments ?? [],
        globals
      )
    )
  ]
}

/** `--wait <n>` to `--wait`. */
function longFlag(option: OptionSpec): string {
  return /--[a-z-]+/.exec(option.flags)?.[0] ?? option.flags
}

function takesValue(option: OptionSpec): boolean {
  return /[<[]/.test(option.flags)
}

/** Words that may follow at a place: commands, choices of arguments, flags. */
function wordsOf(place: Place): string[] {
  return [
    ...place.commands.map(({ name }) => name),
    ...place.arguments.flatMap(({ choices }) => choices ?? []),
    ...place.options.map(longFlag),
    '--help'
  ]
}

function valueFlags(place: Place, kind: 'choices' | 'path' | 'any'): OptionSpec[] {
  return place.options.filter(option => {
    if (!takesValue(option)) return false
    const actual = option.choices !== undefined ? 'choices' : option.complete !== undefined ? 'path' : 'any'
    return actual === kind
  })
}

const HEAD = '# Made by `catalog completion`; do not edit.'
const allFlags = (places: Place[], kind: 'choices' | 'path' | 'any'): Map<string, OptionSpec> =>
  new Map(places.flatMap(place => valueFlags(place, kind)).map(option => [longFlag(option), option]))

function bash(places: Place[]): string {
  const words = places.map(place => `    "${place.path}") words="${wordsOf(place).join(' ')}" ;;`)
  const nested = places
    .filter(({ path, commands }) => path !== '' && commands.length > 0)
    .map(({ path }) => path)
  const choices = [...allFlags(places, 'choices')].map(
    ([flag, { choices: given }]) =>
      `    ${flag}) COMPREPLY=($(compgen -W "${(given ?? []).join(' ')}" -- "$current")); return ;;`
  )
  const paths = [...allFlags(places, 'path').keys()]
  const other = [...allFlags(places, 'any').keys()]
  const files = places.filter(({ arguments: args }) => args.some(({ complete }) => complete !== undefined))
  return `${HEAD}
_catalog() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="" words="" skip="" word
  case "$previous" in
${choices.join('\n')}
    ${paths.join('|')}) local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${other.join('|')}) return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in
      ${[...allFlags(places, 'choices').keys(), ...paths, ...other].join('|')}) skip=1 ;;
      -*) ;;
      *) if [[ -z "$place" ]]; then place="$word"; elif [[ "$place" =~ ^(${nested.join('|')})$ ]]; then place="$place $word"; fi ;;
    esac
  done
  case "$place" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$place" in
    ${files.map(({ path }) => `"${path}"`).join('|')}) local IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _catalog catalog
`
}

function zsh(places: Place[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const item = (word: string, description: string): string =>
    quote(`${word.replaceAll(':', '\\:')}:${description}`)
  const cases = places.map(place => {
    const words = [
      ...place.commands.map(({ name, summary }) => item(name, summary)),
      ...place.arguments.flatMap(({ choices, description }) =>
        (choices ?? []).map(choice => item(choice, description))
      ),
      ...place.options.map(option => item(longFlag(option), option.description)),
      item('--help', 'show help')
    ]
    const isFile = place.arguments.some(({ complete }) => complete !== undefined)
    return `    ${quote(place.path)}) words=(${words.join(' ')})${isFile ? '; _files' : ''} ;;`
  })
  const nested = places
    .filter(({ path, commands }) => path !== '' && commands.length > 0)
    .map(({ path }) => path)
  const choices = [...allFlags(places, 'choices')].map(
    ([flag, { choices: given }]) => `    ${flag}) compadd -- ${(given ?? []).join(' ')}; return ;;`
  )
  const paths = [...allFlags(places, 'path').keys()]
  const other = [...allFlags(places, 'any').keys()]
  return `#compdef catalog
${HEAD}
_catalog() {
  local place="" skip="" word
  local -a words_so_far=("\${words[@]:1:CURRENT-2}") words
  case "\${words_so_far[-1]}" in
${choices.join('\n')}
    ${paths.join('|')}) _files; return ;;
    ${other.join('|')}) return ;;
  esac
  for word in "\${words_so_far[@]}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in
      ${[...allFlags(places, 'choices').keys(), ...paths, ...other].join('|')}) skip=1 ;;
      -*) ;;
      *) if [[ -z "$place" ]]; then place="$word"; elif [[ "$place" == (${nested.join('|')}) ]]; then place="$place $word"; fi ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  _describe 'catalog' words
}
if [[ "$funcstack[1]" == "_catalog" ]]; then _catalog "$@"; else compdef _catalog catalog; fi
`
}

function fish(places: Place[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = [HEAD, 'complete -c catalog -f']
  const [program, ...rest] = places
  if (program === undefined) return ''
  for (const option of program.options) lines.push(fishOption('', option, quote))
  for (const { name, summary } of program.commands)
    lines.push(`complete -c catalog -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`)
  for (const place of rest) {
    const [first = '', second] = place.path.split(' ')
    const seen =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    const names = place.commands.map(({ name }) => name).join(' ')
    for (const { name, summary } of place.commands) {
      const condition = `${seen}; and not __fish_seen_subcommand_from ${names}`
      lines.push(`complete -c catalog -n ${quote(condition)} -a ${name} -d ${quote(summary)}`)
    }
    for (const { choices, complete, description } of place.arguments) {
      if (choices !== undefined)
        lines.push(
          `complete -c catalog -n ${quote(seen)} -a ${quote(choices.join(' '))} -d ${quote(description)}`
        )
      if (complete !== undefined) lines.push(`complete -c catalog -n ${quote(seen)} -F`)
    }
    const own = place.options.filter(option => !program.options.includes(option))
    for (const option of own) lines.push(fishOption(`-n ${quote(seen)} `, option, quote))
  }
  return `${lines.join('\n')}\n`
}

function fishOption(condition: string, option: OptionSpec, quote: (text: string) => string): string {
  const value = takesValue(option) ? (option.complete === undefined ? ' -x' : ' -r -F') : ''
  const choices = option.choices === undefined ? '' : ` -a ${quote(option.choices.join(' '))}`
  return `complete -c catalog ${condition}-l ${longFlag(option).slice(2)}${value}${choices} -d ${quote(option.description)}`
}
