import type { PeerShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [address]: [string]) => {
  const peer = await context
    .client()
    .request<PeerShape>('POST', '/v1/peers', { body: { address }, signal: context.signal })
  context.output.result(peer, () => `connected to ${peer.peerId}`)
})
