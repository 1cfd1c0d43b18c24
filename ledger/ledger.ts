import { type Clock, LruCache } from '../base/index.ts'
import { type Account, type Amounts, add, fade, forfeit, NOTHING, newAccount, sum } from './account.ts'
import { liftOf } from './hints.ts'
import { shareOfNetwork, weightOfNetwork } from './network-share.ts'
import { forfeitedUntilMs, scoreOf, scoreOfAccount, weightOfScore } from './standing.ts'

/** Peers with an account: about 400 bytes each. Beyond it those go with which least was exchanged lately. */
export const MAX_ACCOUNTS = 10_000
/** So many are let go of at once, so that the search for them is rare. */
const ROOM = MAX_ACCOUNTS / 10
/** For so long a weight is used again: it is asked for with every piece that is sent. */
const WEIGHT_MS = 1000
/** Who was given no turn for so long is not served now, and has no part of what its network shares. */
const ACTIVE_MS = 10_000
/** Receipts of one peer that count: more than it takes for all that they can add. */
const MAX_RECEIPTS = 16
/** Peers whose receipts are remembered, 5 KB each at most; whose were looked at longest ago are forgotten first, and shown again. */
const MAX_SHOWING = 1000

export interface LedgerModules {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  /** The public network that a peer is connected from now, in hex; empty for a local one, undefined while it is not connected. */
  networkOf(peerId: string): string | undefined
}

export interface LedgerOptions {
  /** Time after which what was given and taken counts half. */
  readonly halfLifeMs: number
  readonly maxAccounts?: number
}

/** What was changed since it was asked last: an account, or that it is gone. */
export type Changed = ReadonlyMap<string, Account | undefined>

/** A receipt for a peer, verified: who signed it, and what the peer gave to it. */
export interface Shown {
  readonly signer: string
  readonly bytes: number
  readonly expires: number
}

interface Shared {
  readonly amounts: Amounts
  readonly lift: number
  readonly active: number
  readonly untilMs: number
}

/** The accounts of peers in memory, bounded, and the weights that follow from them. Touches no disk: who keeps it takes `changed`. */
export class Ledger {
  readonly #modules: LedgerModules
  readonly #halfLifeMs: number
  readonly #maxAccounts: number
  readonly #accounts = new Map<string, Account>()
  readonly #ofNetwork = new Map<string, Set<string>>()
  readonly #changed = new Set<string>()
  /** Until when a peer counts as one that is served now, by network; the empty network has none. */
  readonly #active: LruCache<string, Map<string, number>>
  readonly #shared: LruCache<string, Shared>
  readonly #shown = new LruCache<string, readonly Shown[]>({ maxEntries: MAX_SHOWING })
  readonly #weights: LruCache<string, { readonly weight: number; readonly untilMs: number }>

  constructor(modules: LedgerModules, { halfLifeMs, maxAccounts = MAX_ACCOUNTS }: LedgerOptions) {
    this.#modules = modules
    this.#halfLifeMs = halfLifeMs
    this.#maxAccounts = maxAccounts
    const bound = { maxEntries: maxAccounts }
    this.#active = new LruCache(bound)
    this.#shared = new LruCache(bound)
    this.#weights = new LruCache(bound)
  }

  get size(): number {
    return this.#accounts.size
  }

  /** An account as an earlier life left it; one too many goes, as ever, and counts as changed. */
  restore(peerId: string, account: Account): void {
    this.#put(peerId, account)
    if (this.#accounts.size > this.#maxAccounts) this.#makeRoom()
  }

  /** Something was measured with a peer. */
  note(peerId: string, more: Partial<Amounts>): void {
    const network = this.#modules.networkOf(peerId)
    const account = add(this.#current(peerId), more)
    this.#change(peerId, network === undefined ? account : { ...account, network })
  }

  /** The key of a peer has proven contradictions, so many by now. Whether that is news. */
  convict(peerId: string, contradictions: number): boolean {
    const account = this.#current(peerId)
    if (contradictions <= account.contradictions) return false
    this.#change(peerId, forfeit(account, contradictions))
    return true
  }

  /** As it stands now; undefined when nothing was measured. */
  account(peerId: string): Account | undefined {
    return this.#accounts.has(peerId) ? this.#current(peerId) : undefined
  }

  /** 0 to 1; one half for who is new and has shown no receipts that count. */
  scoreOf(peerId: string): number {
    return this.#score(peerId, this.#liftOf(peerId))
  }

  /** A peer has shown receipts that others signed for it: in place of those before. */
  show(peerId: string, receipts: readonly Shown[]): void {
    this.#shown.set(peerId, receipts.slice(0, MAX_RECEIPTS))
  }

  /** Receipts that a peer has shown and that have not expired, and how much of its score is due to them. */
  receiptsOf(peerId: string): { shown: number; adds: number } {
    const adds = Math.max(0, this.scoreOf(peerId) - this.#score(peerId))
    return { shown: this.#receipts(peerId).length, adds }
  }

  /** Share of a peer that is given a turn now, beside others. */
  weightOf(peerId: string): number {
    const nowMs = this.#modules.clock.monotonicMs()
    const known = this.#weights.get(peerId)
    if (known !== undefined && nowMs < known.untilMs) return known.weight
    const network = this.networkOf(peerId)
    if (network !== '') this.#serves(peerId, network, nowMs + ACTIVE_MS)
    const weight = this.weighed(peerId)
    this.#weights.set(peerId, { weight, untilMs: nowMs + WEIGHT_MS })
    return weight
  }

  /** The same for who only wants to know: that it was asked for changes nothing. */
  weighed(peerId: string): number {
    const own = this.#ownWeight(peerId)
    const network = this.networkOf(peerId)
    if (network === '') return own
    const { amounts, lift, active } = this.#sharedBy(network)
    const weight = weightOfNetwork(amounts, Math.max(lift, this.#liftOf(peerId)))
    const isActive = this.#active.get(network)?.has(peerId) === true
    return shareOfNetwork(own, { weight, active: isActive ? active : active + own })
  }

  /** The public network of a peer, in hex; empty for a local one, and where none is known. */
  networkOf(peerId: string): string {
    return this.#modules.networkOf(peerId) ?? this.#accounts.get(peerId)?.network ?? ''
  }

  /** Peers of a network that have an account. */
  peersOf(network: string): number {
    return this.#ofNetwork.get(network)?.size ?? 0
  }

  /** What was changed since the last call. */
  takeChanged(): Changed {
    const changed = new Map([...this.#changed].map(peerId => [peerId, this.#accounts.get(peerId)]))
    this.#changed.clear()
    return changed
  }

  /** What was taken could not be kept: it is told again. */
  putBack(changed: Changed): void {
    for (const peerId of changed.keys()) this.#changed.add(peerId)
  }

  #receipts(peerId: string): Shown[] {
    const nowMs = this.#modules.clock.now()
    return (this.#shown.get(peerId) ?? []).filter(({ expires }) => nowMs < expires)
  }

  #liftOf(peerId: string): number {
    const vouched = this.#receipts(peerId).map(({ signer, bytes }) => ({
      bytes,
      score: this.#score(signer),
      network: this.networkOf(signer)
    }))
    return liftOf(vouched, this.networkOf(peerId))
  }

  /** As measured, and with such a lift. */
  #score(peerId: string, lift = 0): number {
    const account = this.account(peerId)
    return account === undefined ? scoreOf(NOTHING, lift) : scoreOfAccount(account, lift)
  }

  #ownWeight(peerId: string): number {
    return weightOfScore(this.scoreOf(peerId))
  }

  #serves(peerId: string, network: string, untilMs: number): void {
    const active = this.#active.get(network) ?? new Map<string, number>()
    if (!active.has(peerId)) this.#shared.delete(network)
    this.#active.set(network, active.set(peerId, untilMs))
  }

  #sharedBy(network: string): Shared {
    const nowMs = this.#modules.clock.monotonicMs()
    const known = this.#shared.get(network)
    if (known !== undefined && nowMs < known.untilMs) return known
    const accounts = [...(this.#ofNetwork.get(network) ?? [])].map(peerId => this.#current(peerId).recent)
    const active = this.#active.get(network) ?? new Map<string, number>()
    for (const [peerId, untilMs] of active) if (nowMs >= untilMs) active.delete(peerId)
    if (active.size === 0) this.#active.delete(network)
    const shared = {
      amounts: accounts.reduce(sum, NOTHING),
      lift: Math.max(0, ...[...active.keys()].map(peerId => this.#liftOf(peerId))),
      active: [...active.keys()].reduce((all, peerId) => all + this.#ownWeight(peerId), 0),
      untilMs: nowMs + WEIGHT_MS
    }
    this.#shared.set(network, shared)
    return shared
  }

  #current(peerId: string): Account {
    const nowMs = this.#modules.clock.now()
    const account = this.#accounts.get(peerId)
    return account === undefined ? newAccount(nowMs) : fade(account, nowMs, this.#halfLifeMs)
  }

  #change(peerId: string, account: Account): void {
    this.#put(peerId, account)
    this.#changed.add(peerId)
    if (this.#accounts.size > this.#maxAccounts) this.#makeRoom()
  }

  #put(peerId: string, account: Account): void {
    const before = this.#accounts.get(peerId)
    if (before?.network !== account.network) {
      if (before !== undefined) this.#leaveNetwork(peerId, before.network)
      if (account.network !== '') {
        const members = this.#ofNetwork.get(account.network) ?? new Set<string>()
        this.#ofNetwork.set(account.network, members.add(peerId))
      }
    }
    this.#accounts.set(peerId, account)
  }

  #leaveNetwork(peerId: string, network: string): void {
    const members = this.#ofNetwork.get(network)
    members?.delete(peerId)
    if (members?.size === 0) this.#ofNetwork.delete(network)
  }

  /** Whose stake is forfeited stays; of the others those go with whom least was exchanged. */
  #makeRoom(): void {
    const nowMs = this.#modules.clock.now()
    const worth = (peerId: string): number => {
      const account = this.#current(peerId)
      if (forfeitedUntilMs(account, nowMs) !== undefined) return Number.POSITIVE_INFINITY
      return account.recent.sentBytes + account.recent.receivedBytes
    }
    const ranked = [...this.#accounts.keys()].map(peerId => ({ peerId, worth: worth(peerId) }))
    ranked.sort((a, b) => a.worth - b.worth)
    const kept = this.#maxAccounts - Math.min(ROOM, Math.floor(this.#maxAccounts / 10))
    for (const { peerId } of ranked.slice(0, ranked.length - kept)) {
      this.#leaveNetwork(peerId, this.#accounts.get(peerId)!.network)
      this.#accounts.delete(peerId)
      this.#changed.add(peerId)
    }
  }
}
