import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [id]: [string]) => {
  const path = `/v1/queue/${encodeURIComponent(id)}`
  const result = await context.client().request<{ id: string }>('DELETE', path, { signal: context.signal })
  context.output.result(result, () => `${id} is queued no more`)
})
