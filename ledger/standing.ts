/**
 * What a peer is worth to this node: a *score* from 0 to 1, and from it the *weight* with which it is served beside others.
 *
 * Tit for tat, as in BitTorrent (Cohen, "Incentives Build Robustness in BitTorrent", 2003), looks at the last seconds, and a package library
 * is not one swarm: who gave yesterday wants something today. Bitswap and eMule keep a ledger of bytes for each peer instead, and serve by the ratio.
 * So does this: with R bytes that the peer gave to us and S that it took from us, both fading with a half-life, its share is
 *
 *     (R + P) / (R + S + 2 P)
 *
 * P bytes of *prior* on both sides stand for what is not known yet. Who gave as much as it took, and who is new, has one half;
 * a newcomer may take P or so before that tells. Failures take up to half of it, each violation of the protocols half of what is left. The
 * weight is 4^(2 score - 1): 1/4 for who only takes, 1 for a newcomer, 2 for who gave three times what it took, and never more than 4. So nobody starves,
 * nobody buys a link for itself, and without traffic everybody drifts back to 1. How long a peer is there (topology/) has no part in it: who
 * is off at night would do better with a new name every morning.
 *
 * Known attacks, and what they come to here:
 * - *Whitewashing*, a new identity whenever the old one is in debt: it gains the way from 1/4 to 1, never what a giver has, and nothing where the
 *   network stays the same (network-share.ts). Were newcomers worse off, nobody could begin (Friedman and Resnick, "The Social Cost of Cheap
 *   Pseudonyms", 2001): this is the price.
 * - *Sybils that trade with each other*, and liars who praise each other: what others say counts little, and as far as this node values who says it by its
 *   own measurement (hints.ts).
 * - *Many identities at once*: those of one network share one weight. Who has many networks has many weights, as many as it pays for.
 * - *Giving junk*: only content that this node asked for, and whose hash was right, counts; twice the same block counts once.
 */
import { DAY_MS } from '../base/index.ts'
import type { Account, Amounts } from './account.ts'
import { liftLeft } from './hints.ts'
import { PRIOR_BYTES } from './prior.ts'

/** Transfers that every source is believed to have behind it, so that one failure is no verdict. */
const PRIOR_TRANSFERS = 8
/** Weight of who gave without end, beside a newcomer's; its inverse is that of who only takes. */
const MAX_WEIGHT = 4
/** How long a stake is forfeited: longer than memory of what was gained by it, as amounts fade in days. */
export const FORFEIT_MS = 30 * DAY_MS

/**
 * From 0 to 1, one half for who is new: more given never lowers it, more taken, failed or violated never raises it. `lift`: what receipts of
 * others add to the share while nothing was exchanged.
 */
export function scoreOf(amounts: Amounts, lift = 0): number {
  const { sentBytes, receivedBytes, transfers, failures, violations } = amounts
  const exchanged = receivedBytes + sentBytes
  const share = (receivedBytes + PRIOR_BYTES) / (exchanged + 2 * PRIOR_BYTES) + liftLeft(lift, exchanged)
  const tried = transfers + failures + PRIOR_TRANSFERS
  const reliability = (transfers + PRIOR_TRANSFERS) / tried
  return share * (0.5 + 0.5 * reliability) * 0.5 ** violations
}

/** What the peer gave more than it took, lately; below zero it owes. Forfeited with the stake, except for debts. */
export function creditBytesOf(account: Account): number {
  const { sentBytes, receivedBytes } = account.recent
  const isForfeited = forfeitedUntilMs(account, account.atMs) !== undefined
  return isForfeited ? -sentBytes : receivedBytes - sentBytes
}

/** Share beside others of a class: MAX_WEIGHT at most, and its inverse at least. */
export const weightOfScore = (score: number): number => MAX_WEIGHT ** (2 * score - 1)

/** Until when the stake of an account is forfeited, ms since the epoch; undefined when it is not. */
export function forfeitedUntilMs({ forfeitedAtMs }: Account, nowMs: number): number | undefined {
  const untilMs = forfeitedAtMs + FORFEIT_MS
  return forfeitedAtMs > 0 && nowMs < untilMs ? untilMs : undefined
}

/** Score of an account at the moment for which it holds: 0 while its stake is forfeited. */
export function scoreOfAccount(account: Account, lift = 0): number {
  return forfeitedUntilMs(account, account.atMs) === undefined ? scoreOf(account.recent, lift) : 0
}
