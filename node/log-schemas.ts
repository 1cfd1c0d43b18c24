/** The shapes of what a node tells of its log. */
import * as Type from 'typebox'
import { LOG_LEVEL_NAMES } from './logging/line.ts'
import { count, text } from './schema-fields.ts'

export const LevelName = Type.Enum(LOG_LEVEL_NAMES)

export const NotedErrorShape = Type.Object({
  code: text('See docs/errors.md; or the name of an error that a library threw.'),
  part: text('Of the node; empty when the line did not say.'),
  level: LevelName,
  message: text('Of the last line that told of it.'),
  peer: Type.Optional(text('With whom.')),
  subject: Type.Optional(text('Release, library or kind of operation that it was about.')),
  firstAt: text('RFC 3339.'),
  lastAt: text('RFC 3339.'),
  times: count('How often.')
})
export type NotedErrorShape = Type.Static<typeof NotedErrorShape>

export const ErrorsReply = Type.Object({
  errors: Type.Array(NotedErrorShape, { description: 'The last one first, 500 at most.' })
})
export type ErrorsReply = Type.Static<typeof ErrorsReply>
