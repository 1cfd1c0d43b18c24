/** The shape of an alert, in the status and in events. */
import * as Type from 'typebox'
import { text } from './schema-fields.ts'
import { ALERT_KINDS } from './services/alerts/rules.ts'

export const AlertShape = Type.Object({
  kind: Type.Enum(ALERT_KINDS, { description: 'See docs/alerts.md.' }),
  level: Type.Enum(['error', 'warn']),
  about: Type.Optional(text('Which library or peer, where there may be several.')),
  message: Type.String(),
  hint: text('What to do about it.'),
  since: text('Since when it is so; RFC 3339.')
})
export type AlertShape = Type.Static<typeof AlertShape>
