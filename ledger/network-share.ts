/**
 * Peers of one public network (a /24 or /48, what one customer of a hoster has) may all be one person, so together they weigh no more than one peer
 * would that had given and taken what all of them have. That weight is divided among those that are served now, by their own weights, and
 * none gets more than its own: so a taker gains nothing by the giver beside it, nor by a new identity, while a giver keeps nearly all
 * of it among takers. A network answers for bytes only. Failures, violations and a forfeited stake are the identity's own: else a machine next to somebody's would be
 * enough to ruin it. That neighbours who take much cost a giver something is the price; what it gave holds against it.
 */
import { type Amounts, NOTHING } from './account.ts'
import { scoreOf, weightOfScore } from './standing.ts'

/** Weight of a network of which this many bytes were given and taken in all; `lift`: the highest of those that are served now. */
export function weightOfNetwork({ sentBytes, receivedBytes }: Amounts, lift: number): number {
  return weightOfScore(scoreOf({ ...NOTHING, sentBytes, receivedBytes }, lift))
}

/** What of it a member gets. `active`: the own weights of all members that are served now summed up, this one's included. */
export function shareOfNetwork(own: number, { weight, active }: { weight: number; active: number }): number {
  return Math.min(own, (weight * own) / active)
}
