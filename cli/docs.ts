import { ERROR_CODES, ExitCode } from '../base/index.ts'
import { COMMANDS, GLOBAL_OPTIONS } from './commands.ts'
import { SIGNAL_STATUS } from './framework/interrupt.ts'
import type { ArgumentSpec, CommandSpec, OptionSpec } from './framework/tree.ts'

const EXIT_MEANINGS: Record<keyof typeof ExitCode, string> = {
  Done: 'done',
  Failed: 'failed',
  Usage: 'wrong usage',
  NotFound: 'not found',
  NotPermitted: 'not permitted',
  VerificationFailed: 'verification failed',
  Network: 'network, time-out or no providers',
  NoDaemon: 'no daemon answers on the socket',
  Conflict: 'conflict or unsatisfiable'
}

/** docs/cli.md, made from the command tree. `head` is put below the title. */
export function cliPage(head: string): string {
  const lines = [
    '# The command line',
    '',
    head,
    '',
    '`catalog daemon` runs a node in the foreground; every other command talks to that node over its admin socket, except those',
    'marked *offline*. With `--json` a command prints exactly one JSON document on stdout, an error included:',
    '`{"error":{"code":"…","message":"…","hint":"…","details":{…}}}`. Without it an error is one line on stderr:',
    '`catalog: CODE: what happened; what to do`. Sizes are in bytes, times in milliseconds, instants in RFC 3339, ids are strings.',
    'Fields may be added, never renamed.',
    '',
    '## Global options',
    '',
    ...optionTable(GLOBAL_OPTIONS),
    '',
    '## Exit status',
    '',
    '| status | meaning | codes |',
    '| --- | --- | --- |'
  ]
  for (const [name, status] of Object.entries(ExitCode)) {
    const codes = Object.entries(ERROR_CODES).filter(([, row]) => row.exit === status)
    const shown = codes.map(([code]) => `\`${code}\``).join(' ')
    lines.push(`| ${status} | ${EXIT_MEANINGS[name as keyof typeof ExitCode]} | ${shown} |`)
  }
  lines.push(
    `| ${SIGNAL_STATUS.SIGINT} | ended by SIGINT (Ctrl-C); \`log --follow\` ends with 0, the daemon too | \`ABORTED\` |`,
    `| ${SIGNAL_STATUS.SIGTERM} | ended by SIGTERM | \`ABORTED\` |`
  )
  lines.push('', '## Commands', '')
  for (const command of COMMANDS) lines.push(...commandSection(command, 'catalog'))
  return `${lines.join('\n').trimEnd()}\n`
}

function commandSection(spec: CommandSpec, parent: string): string[] {
  const path = `${parent} ${spec.name}`
  if (spec.commands !== undefined) return spec.commands.flatMap(child => commandSection(child, path))
  const usage = [
    path,
    ...(spec.arguments ?? []).map(({ name }) => name),
    ...(spec.options?.length ? ['[options]'] : [])
  ]
  const lines = [
    `### \`${usage.join(' ')}\``,
    '',
    `${spec.offline === true ? '*Offline.* ' : ''}${sentence(spec.summary)}`
  ]
  if (spec.details !== undefined) lines.push('', spec.details)
  if (spec.arguments?.length || spec.options?.length)
    lines.push('', ...optionTable(spec.options ?? [], spec.arguments))
  for (const { line, does } of spec.examples ?? []) lines.push('', `\`${line}\` ${does}.`)
  if (spec.json !== undefined) lines.push('', `JSON: ${spec.json}.`)
  return [...lines, '']
}

function optionTable(options: OptionSpec[], args: ArgumentSpec[] = []): string[] {
  const rows = [
    ...args.map(({ name, description, choices }) => ({ flags: name, description, choices })),
    ...options.map(({ flags, description, choices }) => ({ flags, description, choices }))
  ]
  return [
    '| option | meaning |',
    '| --- | --- |',
    ...rows.map(({ flags, description, choices }) => {
      const list = choices === undefined ? '' : `: ${choices.map(choice => `\`${choice}\``).join(', ')}`
      return `| \`${flags}\` | ${(description + list).replaceAll('|', '\\|')} |`
    })
  ]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
