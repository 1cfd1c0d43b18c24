/** How a peer stands with this node, and why: what `catalog peers show` tells. */
import { type Clock, displayDuration, displaySize, plural } from '../../base/index.ts'
import { displayNetwork } from '../../discovery/index.ts'
import { type Account, creditBytesOf, forfeitedUntilMs, NOTHING } from '../../ledger/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import type { BanShape, PeerStanding } from '../standing-schemas.ts'
import type { Ban, PeerBans } from './peer-bans.ts'
import type { PeerHealth } from './peer-health.ts'
import type { PeerLedger } from './peer-ledger.ts'
import type { Violations } from './violations.ts'
import { peerOf } from './writer-key.ts'

export interface PeerStandingModules {
  ledger: Pick<PeerLedger, 'view' | 'weighed' | 'convictBy' | 'isWeighing' | 'halfLifeMs'>
  bans: Pick<PeerBans, 'of'>
  health: Pick<PeerHealth, 'refusal'>
  violations: Pick<Violations, 'deniedForMs'>
  sets: Pick<LibrarySets, 'evidence'>
  clock: Pick<Clock, 'now'>
}

/** Everything about one peer, whether it was ever met or not. */
export async function standingOf(
  modules: PeerStandingModules,
  peerId: string,
  signal: AbortSignal
): Promise<PeerStanding> {
  const { ledger, bans, health, violations, sets, clock } = modules
  const evidence = await sets.evidence(signal)
  ledger.convictBy(evidence)
  const account = ledger.view.account(peerId)
  const network = ledger.view.networkOf(peerId)
  const refusal = health.refusal(peerId)
  const ban = bans.of(peerId)
  const untilMs = account && forfeitedUntilMs(account, clock.now())
  const facts: Omit<PeerStanding, 'reasons'> = {
    peerId,
    score: ledger.view.scoreOf(peerId),
    weight: ledger.weighed(peerId),
    creditBytes: account === undefined ? 0 : Math.round(creditBytesOf(account)),
    ledger: ledgerShape(account),
    receipts: ledger.view.receiptsOf(peerId),
    network: network === '' ? null : { prefix: displayNetwork(network), peers: ledger.view.peersOf(network) },
    leftAlone: refusal === undefined ? null : { code: refusal.code, reason: refusal.message },
    deniedForMs: Math.ceil(violations.deniedForMs(peerId)),
    contradictions: evidence
      .filter(({ incoming }) => peerOf(incoming.writer) === peerId)
      .map(({ known, incoming }) => ({
        library: hex(incoming.library),
        epoch: incoming.epoch,
        revision: Math.max(known.revision, incoming.revision),
        roots: [hex(known.root), hex(incoming.root)],
        counts: !incoming.isClosed
      })),
    forfeitedUntil: untilMs === undefined ? null : timeText(untilMs),
    ban: ban === undefined ? null : banShape(ban)
  }
  return { ...facts, reasons: reasonsOf(facts, ledger) }
}

export function banShape({ peerId, bannedAt, reason }: Ban): BanShape {
  return { peerId, bannedAt: timeText(bannedAt), ...(reason === undefined ? {} : { reason }) }
}

function ledgerShape(account: Account | undefined): PeerStanding['ledger'] {
  if (account === undefined)
    return { since: null, sentBytes: 0, receivedBytes: 0, ratio: null, recent: NOTHING }
  const { sinceMs, totalSentBytes, totalReceivedBytes, recent } = account
  return {
    since: timeText(sinceMs),
    sentBytes: totalSentBytes,
    receivedBytes: totalReceivedBytes,
    ratio: totalSentBytes === 0 ? null : totalReceivedBytes / totalSentBytes,
    recent
  }
}

/** In plain words, what matters most first. */
function reasonsOf(
  facts: Omit<PeerStanding, 'reasons'>,
  { isWeighing, halfLifeMs }: Pick<PeerLedger, 'isWeighing' | 'halfLifeMs'>
): string[] {
  const { ban, forfeitedUntil, contradictions, deniedForMs, leftAlone, network, weight } = facts
  const reasons: string[] = []
  if (ban !== null)
    reasons.push(`banned since ${ban.bannedAt}${ban.reason === undefined ? '' : `: ${ban.reason}`}`)
  if (forfeitedUntil !== null)
    reasons.push(
      `its key has signed ${plural(contradictions.filter(({ counts }) => counts).length, 'pair')} of heads that contradict each other: its credits are gone, and it has the least weight until ${forfeitedUntil}`
    )
  if (deniedForMs > 0)
    reasons.push(`refused for ${displayDuration(deniedForMs)} for what it did against the protocols`)
  if (leftAlone !== null && ban === null) reasons.push(`asked for nothing now: ${leftAlone.reason}`)
  reasons.push(...measuredReasons(facts.ledger, halfLifeMs), ...receiptReasons(facts.receipts))
  if (network !== null && network.peers > 1)
    reasons.push(`${plural(network.peers, 'peer')} of its network ${network.prefix} share one weight`)
  reasons.push(
    isWeighing
      ? `where what is sent is limited it gets ${times(weight)} as much as a newcomer`
      : 'all peers weigh the same: incentives.enabled is false'
  )
  return reasons
}

function measuredReasons({ since, recent }: PeerStanding['ledger'], halfLifeMs: number): string[] {
  if (since === null) return ['nothing was exchanged with it yet: it counts as a newcomer']
  const { sentBytes, receivedBytes, transfers, failures, violations } = recent
  const size = (bytes: number): string => displaySize(Math.round(bytes))
  const reasons = [
    `of what counts (half of it after ${displayDuration(halfLifeMs)}) it gave ${size(receivedBytes)} and took ${size(sentBytes)}`
  ]
  // A tenth of one is what is left of something long ago.
  if (failures >= 0.1)
    reasons.push(
      `as a source it failed ${failures.toFixed(1)} of ${(failures + transfers).toFixed(1)} times, which lowers its score`
    )
  if (violations >= 0.1)
    reasons.push(
      `it did ${violations.toFixed(1)} things against the protocols, each of which halves its score`
    )
  return reasons
}

function receiptReasons({ shown, adds }: PeerStanding['receipts']): string[] {
  if (shown === 0) return []
  const signed = `others signed ${plural(shown, 'receipt')} for what it gave to them, which`
  return [
    adds < 0.005
      ? `${signed} count for nothing: they gave little to this node themselves, or enough is known of it`
      : `${signed} add ${adds.toFixed(2)} to its score`
  ]
}

const times = (weight: number): string => `${Number(weight.toPrecision(2))} times`
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const timeText = (ms: number): string => new Date(ms).toISOString()
