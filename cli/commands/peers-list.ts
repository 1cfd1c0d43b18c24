import { displayShare } from '../../base/index.ts'
import type { PeerList } from '../client/types.ts'
import { formatTable, limitsText, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const answer = await context.client().request<PeerList>('GET', '/v1/peers', { signal: context.signal })
  context.output.result(answer, () =>
    formatTable(
      ['PEER', 'DIRECTION', 'RTT', 'HEALTH', 'SCORE', 'PROGRAM', 'LIMITS', 'ADDRESS'],
      answer.peers.map(peer => [
        peer.peerId,
        peer.direction,
        typeof peer.rttMs === 'number' ? `${peer.rttMs.toFixed(1)} ms` : '',
        displayShare(peer.health),
        peer.score.toFixed(2),
        printable(peer.agent ?? ''),
        limitsText(peer.limits),
        peer.addresses[0] ?? ''
      ])
    )
  )
  for (const { peerId, limits } of answer.limited)
    context.output.note(`Not connected, with limits of its own: ${peerId}, ${limitsText(limits)}.`)
  for (const { peerId, bannedAt, reason } of answer.banned)
    context.output.note(
      `Banned: ${peerId}, since ${bannedAt}${reason === undefined ? '' : `, ${printable(reason)}`}.`
    )
  if (answer.peers.length === 0) {
    context.output.note(
      'Connected to nobody: `catalog peers connect ADDR` dials a node (its `catalog id` shows ADDR).'
    )
  }
})
