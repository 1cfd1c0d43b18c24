import type { Unfollowed } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [library]: [string]) => {
  const path = `/v1/follows/${encodeURIComponent(library)}`
  const { signal } = context
  const result = await context.client().request<Unfollowed>('DELETE', path, { signal })
  context.output.result(result, () => {
    const copy = result.hadCopy ? 'its copy was let go of' : 'no copy of it was here'
    return `${result.address} is followed no more; ${copy}`
  })
})
