import type { BanShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [peerId]: [string]) => {
  const path = `/v1/peers/${encodeURIComponent(peerId)}/ban`
  const { signal } = context
  const ban = await context.client().request<BanShape>('DELETE', path, { signal })
  context.output.result(ban, () => `${ban.peerId} is banned no more`)
})
