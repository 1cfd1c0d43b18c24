/** The shape of what the node has turned by itself, in the status and in events. */
import * as Type from 'typebox'
import { text } from './schema-fields.ts'

export const TunedShape = Type.Object({
  key: text('Setting, such as fetch.atOnce.'),
  configured: Type.Integer(),
  now: Type.Integer(),
  message: text('What was turned last, from what to what, and why.'),
  since: text('When; RFC 3339.')
})
export type TunedShape = Type.Static<typeof TunedShape>
