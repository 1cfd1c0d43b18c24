import type { ConfigChange } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [key, value]: [string, string]) => {
  const answer = await context
    .client()
    .request<ConfigChange>('PUT', `/v1/config/${encodeURIComponent(key)}`, {
      body: { value },
      signal: context.signal
    })
  context.output.result(answer, () => `${answer.key} = ${JSON.stringify(answer.value)}`)
  if (answer.restartNeeded) context.output.note('It takes effect when the daemon is started again.')
})
