import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const answer = await context.client().request<{ invite: string; warning?: string }>('POST', '/v1/invites', {
    body: {},
    signal: context.signal
  })
  context.output.result(answer, () => answer.invite)
  if (answer.warning !== undefined) context.output.warn(answer.warning)
  context.output.note('On the other machine: catalog init --join INVITE')
})
