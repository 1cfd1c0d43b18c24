import { displayDuration } from '../../base/index.ts'
import type { Why } from '../client/types.ts'
import { formatTable, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { releaseTable } from './releases.ts'

export const run = defineCommand(async (context, [spec]: [string]) => {
  const why = await context
    .client()
    .request<Why>('GET', '/v1/why', { query: { spec }, signal: context.signal })
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
