import { CatalogError } from '../../base/index.ts'
import type { ErrorsReply, NotedErrorShape } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { formatTable, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  follow?: boolean
  level?: string
  setLevel?: string
  errors?: boolean
  since?: number
}

export const run = defineCommand(async (context, _args: [], options: Options) => {
  if (options.setLevel !== undefined) {
    const answer = await context.client().request<{ level: string }>('PUT', '/v1/log/level', {
      body: { level: options.setLevel },
      signal: context.signal
    })
    context.output.result(answer, () => `the daemon now logs at ${answer.level}`)
    return
  }
  if (options.since !== undefined && options.errors !== true)
    throw new CatalogError('INVALID_ARGUMENT', '--since goes with --errors')
  if (options.errors === true && (options.follow === true || options.level !== undefined))
    throw new CatalogError('INVALID_ARGUMENT', '--errors goes with neither --follow nor --level', {
      hint: 'of the options only --since goes with it'
    })
  if (options.errors === true) return await showErrors(context, options.since)
  const lines = context.client().lines('/v1/log', {
    query: { level: options.level, follow: options.follow === true },
    signal: context.signal
  })
  if (options.follow === true) return follow(context, lines)
  const all: unknown[] = []
  for await (const line of lines) {
    if (context.output.json) all.push(parseLine(line))
    else context.output.line(readable(line))
  }
  context.output.result({ lines: all }, () => '')
})

async function showErrors(context: Context, withinMs: number | undefined): Promise<void> {
  const query = withinMs === undefined ? {} : { withinMs }
  const { signal } = context
  const reply = await context.client().request<ErrorsReply>('GET', '/v1/log/errors', { query, signal })
  context.output.result(reply, () =>
    reply.errors.length === 0
      ? 'no errors'
      : formatTable(['LAST', 'TIMES', 'CODE', 'PART', 'ABOUT', 'MESSAGE'], reply.errors.map(rowOf))
  )
}

const rowOf = ({ lastAt, times, code, part, peer, subject, message }: NotedErrorShape): string[] => [
  lastAt,
  String(times),
  code,
  part,
  [subject, peer].filter(Boolean).join(' '),
  message
]

/** Until Ctrl-C, which is how following ends: no failure. */
async function follow(context: Context, lines: AsyncIterable<string>): Promise<void> {
  try {
    for await (const line of lines) context.output.line(context.output.json ? line : readable(line))
  } catch (error) {
    if (!context.signal.aborted || context.remainingMs() !== undefined) throw error
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // A line that was cut by the end of the ring is still worth showing.
    return line
  }
}

const LEVEL_NAMES: Record<string, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal'
}
/** Shown in front of the message, or the same on every line. */
const HEAD_FIELDS = new Set(['time', 'level', 'msg', 'pid', 'hostname', 'v'])

/** `12:03:04.512 info  message  key=value`: pino's JSON for people. */
function readable(line: string): string {
  const parsed = parseLine(line)
  if (typeof parsed !== 'object' || parsed === null) return printable(line)
  const fields = parsed as Record<string, unknown>
  const time =
    typeof fields.time === 'number' || typeof fields.time === 'string' ? new Date(fields.time) : undefined
  const clock = time === undefined || Number.isNaN(time.getTime()) ? '' : time.toISOString().slice(11, 23)
  const level = LEVEL_NAMES[String(fields.level)] ?? String(fields.level ?? '')
  const rest = Object.entries(fields)
    .filter(([key]) => !HEAD_FIELDS.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return printable([clock, level.padEnd(5), String(fields.msg ?? ''), ...rest].join(' ')).trimEnd()
}
