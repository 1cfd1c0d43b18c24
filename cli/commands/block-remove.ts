import type { BlockedShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [subject]: [string]) => {
  const path = `/v1/blocks/${encodeURIComponent(subject)}`
  const { signal } = context
  const result = await context.client().request<BlockedShape>('DELETE', path, { signal })
  context.output.result(result, () => `${result.subject} is blocked no more`)
})
