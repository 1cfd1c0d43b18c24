import { displaySize } from '../../base/index.ts'
import type { PeerDetail } from '../client/types.ts'
import { formatFields, limitsText } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [peerId]: [string]) => {
  const path = `/v1/peers/${encodeURIComponent(peerId)}`
  const peer = await context.client().request<PeerDetail>('GET', path, { signal: context.signal })
  context.output.result(peer, () => formatFields(fieldsOf(peer)))
})

function fieldsOf(peer: PeerDetail): Array<[string, string | string[] | undefined]> {
  const { connection, ledger, network, leftAlone, ban } = peer
  return [
    ['peer', peer.peerId],
    ['connection', connectionText(connection)],
    ['program', connection?.agent ?? undefined],
    ['gave', `${displaySize(ledger.receivedBytes)} in all${since(ledger.since)}`],
    ['took', `${displaySize(ledger.sentBytes)} in all`],
    ['ratio', ledger.ratio === null ? undefined : ledger.ratio.toFixed(2)],
    ['failures', rounded(ledger.recent.failures)],
    ['violations', rounded(ledger.recent.violations)],
    ['credit', creditText(peer.creditBytes)],
    ['receipts', receiptsText(peer.receipts)],
    ['score', peer.score.toFixed(2)],
    ['weight', peer.weight.toFixed(2)],
    ['limits', limitsText(peer.limits)],
    ['network', network === null ? undefined : `${network.prefix}, ${network.peers} known`],
    ['left alone', leftAlone === null ? undefined : `${leftAlone.code}: ${leftAlone.reason}`],
    ['contradictions', peer.contradictions.map(contradictionText)],
    ['forfeited', peer.forfeitedUntil === null ? undefined : `until ${peer.forfeitedUntil}`],
    ['banned', ban === null ? undefined : `since ${ban.bannedAt}`],
    ['why', peer.reasons]
  ]
}

function connectionText(connection: PeerDetail['connection']): string {
  if (connection === null) return 'none'
  const { direction, rttMs, addresses } = connection
  const rtt = rttMs === null ? '' : `, ${rttMs.toFixed(1)} ms`
  return `${direction}${rtt}, ${addresses[0] ?? 'no address known'}`
}

function contradictionText({ library, epoch, revision, roots, counts }: Contradiction): string {
  const weight = counts ? '' : ' (closed: counts for nothing)'
  return `library ${library}, epoch ${epoch}, revision ${revision}: ${roots.join(' and ')}${weight}`
}

const receiptsText = ({ shown, adds }: PeerDetail['receipts']): string | undefined =>
  shown === 0 ? undefined : `${shown} of others, which add ${adds.toFixed(2)} to the score`

type Contradiction = PeerDetail['contradictions'][number]

const since = (time: string | null): string => (time === null ? '' : ` since ${time}`)
const rounded = (count: number): string => String(Number(count.toFixed(1)))
/** Sizes are never negative. */
const creditText = (bytes: number): string => (bytes < 0 ? `owes ${displaySize(-bytes)}` : displaySize(bytes))
