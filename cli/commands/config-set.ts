import { defineCommand } from '../framework/tree.ts'

interface SetAnswer {
  key: string
  value: unknown
  restartNeeded: boolean
}

export const run = defineCommand(async (context, [key, value]: [string, string]) => {
  const answer = await context.client().request<SetAnswer>('PUT', `/v1/config/${encodeURIComponent(key)}`, {
    body: { value },
    signal: context.signal
  })
  context.output.result(answer, () => `${answer.key} = ${JSON.stringify(answer.value)}`)
  if (answer.restartNeeded) context.output.note('It takes effect when the daemon is started again.')
})
