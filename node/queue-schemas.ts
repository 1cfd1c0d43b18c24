/** The shapes of what waits until somebody can be reached (schemas.ts). */
import * as Type from 'typebox'
import { count, text } from './schema-fields.ts'

export const QueuedShape = Type.Object({
  id: Type.String(),
  kind: Type.Enum(['fetch', 'sync']),
  request: Type.Record(Type.String(), Type.Unknown(), { description: 'As it was asked for.' }),
  queuedAt: text('RFC 3339.'),
  attempts: count('How often it was tried since.'),
  lastError: Type.Optional(text('Code of the error of the last try.'))
})
export type QueuedShape = Type.Static<typeof QueuedShape>

export const QueueReply = Type.Object({ queue: Type.Array(QueuedShape) })
export type QueueReply = Type.Static<typeof QueueReply>
