/** The shape of an anomaly, in the status and in events. */
import * as Type from 'typebox'
import { count, text } from './schema-fields.ts'

export const AnomalyShape = Type.Object({
  series: text('What is other than usual; see docs/operations.md.'),
  message: text('What, from what to what, and in how many samples.'),
  usual: Type.Number({ description: 'Milliseconds, a share of 0 to 1, or times the usual.' }),
  now: Type.Number(),
  samples: count('In which it was seen.'),
  since: text('Since when it is so; RFC 3339.')
})
export type AnomalyShape = Type.Static<typeof AnomalyShape>
