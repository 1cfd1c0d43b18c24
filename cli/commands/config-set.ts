import { overriderText } from '../../config/index.ts'
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
  const { overriddenBy } = answer
  if (overriddenBy !== undefined) {
    const by = overriderText(overriddenBy)
    context.output.warn(
      `config.toml was changed, with no effect: ${answer.key} of this daemon comes from ${by}, and counts as long as that is set`
    )
  }
  if (answer.restartNeeded) context.output.note('It takes effect when the daemon is started again.')
})
