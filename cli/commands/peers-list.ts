import type { PeerShape } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const answer = await context
    .client()
    .request<{ peers: PeerShape[] }>('GET', '/v1/peers', { signal: context.signal })
  context.output.result(answer, () =>
    formatTable(
      ['PEER', 'DIRECTION', 'RTT', 'ADDRESS'],
      answer.peers.map(peer => [
        peer.peerId,
        peer.direction,
        typeof peer.rttMs === 'number' ? `${peer.rttMs.toFixed(1)} ms` : '',
        peer.addresses[0] ?? ''
      ])
    )
  )
  if (answer.peers.length === 0) {
    context.output.note(
      'Connected to nobody: `catalog peers connect ADDR` dials a node (its `catalog id` shows ADDR).'
    )
  }
})
