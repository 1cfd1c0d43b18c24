import type { BlocksReply } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const { signal } = context
  const reply = await context.client().request<BlocksReply>('GET', '/v1/blocks', { signal })
  context.output.result(reply, () =>
    reply.blocks.length === 0
      ? 'nothing is blocked'
      : formatTable(
          ['WHAT', 'SINCE', 'REASON'],
          reply.blocks.map(({ subject, blockedAt, reason }) => [subject, blockedAt, reason ?? ''])
        )
  )
})
