import type { QueuedShape, QueueReply } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const { signal } = context
  const reply = await context.client().request<QueueReply>('GET', '/v1/queue', { signal })
  context.output.result(reply, () =>
    reply.queue.length === 0
      ? 'nothing is queued'
      : formatTable(['ID', 'WHAT', 'QUEUED AT', 'TRIED', 'LAST ERROR'], reply.queue.map(rowOf))
  )
})

const rowOf = ({ id, kind, request, queuedAt, attempts, lastError }: QueuedShape): string[] => [
  id,
  [kind, request.spec ?? request.peer, ...optionsOf(request)].join(' '),
  queuedAt,
  String(attempts),
  lastError ?? ''
]

/** As they were given, `--from 12D3…`. */
const optionsOf = ({ spec, peer, ...options }: QueuedShape['request']): string[] =>
  Object.entries(options).map(([name, value]) => `--${name} ${String(value)}`)
