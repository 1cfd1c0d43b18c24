/** What this node measured with one peer. All amounts fade with a half-life; totals do not, and decide nothing. */
import { leftAfter } from '../base/index.ts'

/** Amounts that fade. Bytes are those of content, in stored form with its headers, as they went over the wire. */
export interface Amounts {
  /** What this node gave to the peer, as far as it was sent. */
  readonly sentBytes: number
  /** What the peer gave to this node and that was verified and stored. */
  readonly receivedBytes: number
  /** Fetches in which the peer brought something, and those in which it failed as a source. */
  readonly transfers: number
  readonly failures: number
  /** What it did against the protocols, wrong bytes included. */
  readonly violations: number
}

export interface Account {
  /** When something was first measured, ms since the epoch. */
  readonly sinceMs: number
  /** The moment for which `recent` holds. */
  readonly atMs: number
  readonly recent: Amounts
  readonly totalSentBytes: number
  readonly totalReceivedBytes: number
  /** The public network that the peer was last met in, in hex; empty for a local one, and where none is known. */
  readonly network: string
  /** When its stake was last forfeited, and how many contradictions of its key were known then; 0 for never. */
  readonly forfeitedAtMs: number
  readonly contradictions: number
}

export const NOTHING: Amounts = { sentBytes: 0, receivedBytes: 0, transfers: 0, failures: 0, violations: 0 }

export function newAccount(nowMs: number): Account {
  return {
    sinceMs: nowMs,
    atMs: nowMs,
    recent: NOTHING,
    totalSentBytes: 0,
    totalReceivedBytes: 0,
    network: '',
    forfeitedAtMs: 0,
    contradictions: 0
  }
}

/** The same account later: amounts are halved with each half-life. A clock that was set back lets nothing fade. */
export function fade(account: Account, nowMs: number, halfLifeMs: number): Account {
  const part = leftAfter(nowMs - account.atMs, halfLifeMs)
  return { ...account, atMs: nowMs, recent: map(account.recent, amount => amount * part) }
}

/** With more measured, at the moment for which the account holds. */
export function add(account: Account, more: Partial<Amounts>): Account {
  const { sentBytes = 0, receivedBytes = 0 } = more
  return {
    ...account,
    recent: sum(account.recent, { ...NOTHING, ...more }),
    totalSentBytes: account.totalSentBytes + sentBytes,
    totalReceivedBytes: account.totalReceivedBytes + receivedBytes
  }
}

/** What the peer had given counts for nothing from then on. */
export function forfeit(account: Account, contradictions: number): Account {
  const recent = { ...account.recent, receivedBytes: 0 }
  return { ...account, recent, forfeitedAtMs: account.atMs, contradictions }
}

export function sum(one: Amounts, other: Amounts): Amounts {
  return map(one, (amount, name) => amount + other[name])
}

function map(amounts: Amounts, change: (amount: number, name: keyof Amounts) => number): Amounts {
  return {
    sentBytes: change(amounts.sentBytes, 'sentBytes'),
    receivedBytes: change(amounts.receivedBytes, 'receivedBytes'),
    transfers: change(amounts.transfers, 'transfers'),
    failures: change(amounts.failures, 'failures'),
    violations: change(amounts.violations, 'violations')
  }
}
