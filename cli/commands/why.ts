import { displayDuration, ERROR_CODES, type ErrorCode, ExitCode } from '../../base/index.ts'
import type { Why } from '../client/types.ts'
import { formatTable, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { releaseTable } from './releases.ts'

/** The exit status of a fetch that would meet this; a daemon may know codes that this command does not. */
const exitOf = (code: string): ExitCode => ERROR_CODES[code as ErrorCode]?.exit ?? ExitCode.Failed

export const run = defineCommand(async (context, [spec]: [string]) => {
  const why = await context
    .client()
    .request<Why>('GET', '/v1/why', { query: { spec }, signal: context.signal })
  if (why.problem !== undefined) context.exitCode = exitOf(why.problem)
  context.output.result(why, () =>
    [
      releaseTable(why.releases),
      formatTable(
        ['HOLDER', 'KNOWN FROM', 'AGE', 'LAST DIAL', 'LAST ERROR'],
        why.holders.map(holder => [
          holder.peerId,
          holder.source,
          holder.ageMs === undefined ? '' : displayDuration(holder.ageMs),
          holder.lastDial ?? '',
          holder.lastError ?? ''
        ])
      ),
      why.reasons.map(reason => `- ${printable(reason)}`).join('\n')
    ]
      .filter(part => part !== '')
      .join('\n\n')
  )
})
