import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [peerId]: [string]) => {
  await context
    .client()
    .request('DELETE', `/v1/peers/${encodeURIComponent(peerId)}`, { signal: context.signal })
  context.output.result({ peerId }, () => `disconnected from ${peerId}`)
})
