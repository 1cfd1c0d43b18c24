import { CatalogError, displayShare } from '../../base/index.ts'
import type { TopologyPeer, TopologyReply } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { MAX_DRAWN, rateText, regionText, timeText } from '../topology/graph.ts'

interface Options {
  format?: 'table' | 'json' | 'dot' | 'svg'
  strategy?: string
}

export const run = defineCommand(async (context, _args: [], { format = 'table', strategy }: Options) => {
  const { output, signal } = context
  if (output.json && (format === 'dot' || format === 'svg'))
    throw new CatalogError('INVALID_ARGUMENT', `--format ${format} is no JSON`, {
      hint: `leave out --json, or --format ${format}`
    })
  const reply = await context
    .client()
    .request<TopologyReply>('GET', '/v1/topology', { query: { strategy }, signal })
  if (format === 'dot' || format === 'svg') {
    const { drawn } = await import('../topology/draw.ts')
    output.raw(await drawn(reply, format))
  } else if (format === 'json') output.line(JSON.stringify(reply))
  else output.result(reply, () => tables(reply))
  if (format === 'json') return
  const { state, reasons } = reply.partition ?? { state: 'whole', reasons: [] }
  if (state !== 'whole') output.note(`The network is ${state}: ${reasons.join('; ')}.`)
  if (reply.peers.length === 0)
    output.note(
      'Nobody was met yet: `catalog peers connect ADDR` dials a node (its `catalog id` shows ADDR).'
    )
  else if (format !== 'table' && reply.peers.length > MAX_DRAWN)
    output.note(`Drawn are the first ${MAX_DRAWN} of ${reply.peers.length} peers; --format json has all.`)
})

function tables({ regions, peers }: TopologyReply): string {
  const byRegion = formatTable(
    ['REGION', 'PEERS', 'CONNECTED', 'RTT'],
    regions.map(region => [
      regionText(region),
      String(region.peers),
      String(region.connected),
      timeText(region.roundTripMs)
    ])
  )
  const byPeer = formatTable(
    [
      'PEER',
      'CONNECTION',
      'REGION',
      'RTT',
      'P95',
      'DOWN',
      'UP',
      'FAILED',
      'UPTIME',
      'SCORE',
      'HEALTH',
      'BECAUSE'
    ],
    peers.map(rowOf)
  )
  return [byRegion, byPeer].filter(table => table !== '').join('\n\n')
}

const rowOf = (peer: TopologyPeer): string[] => [
  peer.peerId,
  peer.connection,
  regionText(peer.region),
  timeText(peer.roundTripMs),
  timeText(peer.p95Ms),
  rateText(peer.goodput.down),
  rateText(peer.goodput.up),
  displayShare(peer.failureRate),
  displayShare(peer.uptime),
  peer.score.toFixed(2),
  displayShare(peer.health),
  peer.reasons.map(({ text }) => text).join('; ')
]
