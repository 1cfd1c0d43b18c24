/**
 * Whether this node has lost a part of the network. One peer that is silent is off, or slow, or busy. When many fall silent at the same time the
 * cause is between them and this node: nothing that they hold is gone, it cannot be reached for a while.
 *
 *     whole -> suspected -> partitioned -> healing -> whole
 *     whole -> offline -> healing -> whole                   of one or two peers nobody is left
 *
 * A large share of the peers that were live falls silent within seconds: that is suspected. When nobody is left at all this node is cut off,
 * and there is nobody to ask. Else those who are left are asked whether they reach the lost ones, as SWIM does for a single peer. If they
 * do, the fault is this node's way to them, and no partition; if they miss them too, it is one. It heals when half of the lost are back.
 *
 * What is made anew for peers that are gone is frozen meanwhile. Machines that die together look just like a partition, so it is not for as long as that
 * lasts: after a while the majority takes over, as there is one at most, and a minority goes on waiting for it.
 *
 * Pure: what happens is told with its time, `tick` draws the conclusions, and `state` has them.
 */
import { displayDuration, plural } from '../../base/index.ts'
import {
  CONFIRM_MS,
  GIVE_UP_MS,
  RETURNED_SHARE,
  STALL_GRACE_MS,
  STALL_MS,
  SUSPECT_MS,
  TAKE_OVER_MS,
  TAKE_OVER_SHARE,
  TOGETHER_MS,
  UNANSWERED_MS,
  UNCONFIRMED_SHARE
} from './limits.ts'
import { LivePeers, type LostPeer } from './live-peers.ts'
import type { Judgement } from './votes.ts'

export const PARTITION_STATES = ['whole', 'suspected', 'offline', 'partitioned', 'healing'] as const
export type PartitionName = (typeof PARTITION_STATES)[number]

export interface PartitionState {
  readonly name: PartitionName
  /** Since when it is so, monotonic; of what has not healed yet, since when peers are lost. */
  readonly sinceMs: number
  /** Peers that are lost, of those that were live then or are now. */
  readonly lost: number
  readonly of: number
  /** Nobody is connected. */
  readonly isCutOff: boolean
  /** What makes up for peers that are gone waits. */
  readonly isFrozen: boolean
  /** In words; none when it is whole. */
  readonly reasons: readonly string[]
}

/** What was done when peers were back. */
export interface Healed {
  /** Followed libraries that were compared and are equal. */
  readonly syncedLibraries: number
  /** Queued operations that were done. */
  readonly replayedOperations: number
}

/** What became of a partition, or of a time without anybody. */
export interface PartitionReport extends Healed {
  readonly kind: 'partitioned' | 'offline'
  /** When peers were lost, monotonic. */
  readonly sinceMs: number
  /** From then until it was noticed, */
  readonly noticedAfterMs: number
  /** until the first of them was back, */
  readonly lastedMs: number
  /** and from then until everything was done that had waited for it. */
  readonly healedInMs: number
  readonly lostPeers: number
  readonly returnedPeers: number
}

const TAKES_OVER = 'with those who are left this node is the majority: what is lost is made anew'

/** From the loss to its end. */
interface Episode {
  readonly kind: 'partitioned' | 'offline'
  readonly beganMs: number
  readonly noticedMs: number
  readonly reasons: readonly string[]
  readonly lost: Set<string>
  readonly returned: Set<string>
  firstReturnMs: number | undefined
}

export class PartitionDetector {
  readonly #peers = new LivePeers()
  #name: PartitionName = 'whole'
  #sinceMs: number
  #reasons: readonly string[] = []
  #judgement: Judgement | undefined
  #episode: Episode | undefined
  #nowMs: number
  /** After it stood still, this node suspects nobody before. */
  #patientUntilMs = Number.NEGATIVE_INFINITY
  /** When it last looked who is lost: what was lost since has not been judged. */
  #lookedMs: number

  constructor(nowMs: number) {
    this.#nowMs = nowMs
    this.#sinceMs = nowMs
    this.#lookedMs = nowMs
  }

  get name(): PartitionName {
    return this.#name
  }

  get state(): PartitionState {
    const { lost, of } = this.#peers.counts(this.#nowMs)
    const isCutOff = this.#peers.isAlone
    const sinceMs = this.#episode?.beganMs ?? this.#sinceMs
    const isFrozen = this.isFrozen
    if (this.#name === 'whole')
      return { name: 'whole', sinceMs, lost: 0, of, isCutOff, isFrozen, reasons: [] }
    const reasons = isFrozen ? this.#reasons : [...this.#reasons, TAKES_OVER]
    return { name: this.#name, sinceMs, lost, of, isCutOff, isFrozen, reasons }
  }

  /** What makes up for peers that are gone waits: they may be back. */
  get isFrozen(): boolean {
    return this.#name !== 'whole' && !this.#takesOver
  }

  /** Peers that are looked for: nobody while all is well. */
  get lost(): readonly LostPeer[] {
    return this.#name === 'whole' ? [] : this.#peers.lost
  }

  /** Whether some of those that were lost are back already. */
  get isReturning(): boolean {
    return this.#episode?.firstReturnMs !== undefined
  }

  /** Whether a peer was here, fell silent lately, and is not back. */
  hasFallenSilent(peerId: string): boolean {
    return this.#peers.isLost(peerId)
  }

  /** The first connection to a peer is open. `network` is the public one that it is in, if any. */
  came(peerId: string, network: string | undefined, nowMs: number): void {
    const wasLost = this.#peers.came(peerId, network, nowMs)
    if (this.#episode === undefined || !(wasLost || this.#episode.kind === 'offline')) return
    if (wasLost) this.#episode.returned.add(peerId)
    this.#episode.firstReturnMs ??= nowMs
  }

  /** The last connection to a peer is gone; `silent` follows when nobody has closed it. */
  went(peerId: string, nowMs: number): void {
    this.#peers.went(peerId, nowMs)
  }

  /** It went because nothing came any more, since then. */
  silent(peerId: string, nowMs: number, heardMs = nowMs): void {
    if (!this.#peers.silent(peerId, nowMs, heardMs)) return
    this.#episode?.lost.add(peerId)
    this.#episode?.returned.delete(peerId)
  }

  /** It goes on purpose: it said goodbye, or is not wanted here. */
  left(peerId: string): void {
    this.#peers.left(peerId)
  }

  /** It was lost, and is found to be there and to want no connection. */
  excuse(peerId: string): void {
    this.#peers.excuse([peerId])
  }

  /** What those who are left say of the lost, while that is suspected. */
  judged(judgement: Judgement): void {
    this.#judgement = judgement
  }

  /** What had waited for the others is done: of what has healed, the report. */
  healed(done: Healed, nowMs: number): PartitionReport | undefined {
    const episode = this.#episode
    if (this.#name !== 'healing' || episode === undefined) return undefined
    const { kind, beganMs, noticedMs, lost, returned, firstReturnMs = this.#sinceMs } = episode
    this.#end(nowMs)
    return {
      kind,
      sinceMs: beganMs,
      noticedAfterMs: noticedMs - beganMs,
      lastedMs: firstReturnMs - beganMs,
      healedInMs: nowMs - firstReturnMs,
      lostPeers: lost.size,
      returnedPeers: returned.size,
      ...done
    }
  }

  /** Draws conclusions; to be called at least twice as often as STALL_MS. */
  tick(nowMs: number): void {
    if (nowMs - this.#nowMs > STALL_MS) this.#patientUntilMs = nowMs + STALL_GRACE_MS
    this.#nowMs = nowMs
    const isPatient = nowMs < this.#patientUntilMs
    if (this.#name === 'whole' && !isPatient) this.#lookWhole()
    else if (this.#name === 'suspected' && !isPatient) this.#lookSuspected()
    else if (this.#name === 'partitioned') this.#lookPartitioned()
    else if (this.#name === 'offline') this.#lookOffline()
    else if (this.#name === 'healing') this.#lookHealing()
  }

  #lookWhole(): void {
    const peers = this.#peers
    // One that was lost for itself some time ago says nothing of those that are lost now.
    peers.excuseBefore(this.#lookedMs - TOGETHER_MS)
    this.#lookedMs = this.#nowMs
    if (peers.lost.length === 0) return
    if (peers.isMuchLost(this.#nowMs)) this.#enter('suspected', [this.#lostInWords()])
    else if (peers.isAlone && this.#nowMs - peers.lostBetweenMs[1] >= CONFIRM_MS)
      this.#begin('offline', [
        'nobody is left of so few peers: they may be off, or this node without a network'
      ])
  }

  #lookSuspected(): void {
    const peers = this.#peers
    const { reached = [], silent = [] } = this.#judgement ?? {}
    // Of those only the way from here is broken.
    if (reached.length > silent.length) peers.excuseAll()
    else peers.excuse(reached)
    const because = this.#proof()
    if (!peers.isMuchLost(this.#nowMs)) this.#end(this.#nowMs)
    else if (because !== undefined) this.#begin('partitioned', [this.#lostInWords(), because])
    else if (this.#nowMs - this.#sinceMs >= this.#undecidedMs) this.#end(this.#nowMs)
  }

  /** A suspicion that nobody confirms ends after it. */
  get #undecidedMs(): number {
    return this.#judgement === undefined ? UNANSWERED_MS : SUSPECT_MS
  }

  /** What makes a suspicion a partition, if anything does. */
  #proof(): string | undefined {
    const forMs = this.#nowMs - this.#sinceMs
    const { silent, votes } = this.#judgement ?? { silent: [], votes: 0 }
    if (forMs < CONFIRM_MS) return undefined
    if (this.#peers.isAlone) return 'nobody is left: this node is cut off'
    if (silent.length > 0) return `those who are left do not reach them either (${plural(votes, 'vote')})`
    const isUnconfirmed = forMs >= SUSPECT_MS && this.#peers.lostShare(this.#nowMs) >= UNCONFIRMED_SHARE
    return isUnconfirmed ? 'nobody who is left knew them' : undefined
  }

  #lookPartitioned(): void {
    const { noticedMs } = this.#episode!
    if (this.#isBack()) this.#enter('healing', this.#reasons)
    else if (this.#nowMs - noticedMs >= GIVE_UP_MS && !this.#peers.isAlone) this.#end(this.#nowMs)
  }

  /** Those who are left are the majority, and have waited for long. */
  get #takesOver(): boolean {
    return (
      this.#name === 'partitioned' &&
      this.#nowMs - this.#sinceMs >= TAKE_OVER_MS &&
      this.#peers.lostShare(this.#nowMs) <= TAKE_OVER_SHARE
    )
  }

  #lookOffline(): void {
    if (!this.#peers.isAlone) this.#enter('healing', this.#reasons)
  }

  /** Those who came back may be gone again. */
  #lookHealing(): void {
    const { kind, reasons } = this.#episode!
    if (kind === 'offline' ? !this.#peers.isAlone : this.#isBack()) return
    if (this.#episode!.returned.size === 0) this.#episode!.firstReturnMs = undefined
    this.#enter(kind, reasons)
  }

  #isBack(): boolean {
    const { lost, returned } = this.#episode!
    return returned.size >= lost.size * RETURNED_SHARE || !this.#peers.isMuchLost(this.#nowMs)
  }

  #begin(kind: Episode['kind'], reasons: readonly string[]): void {
    const { lost, lastHeardMs } = this.#peers
    this.#episode = {
      kind,
      beganMs: lastHeardMs,
      noticedMs: this.#nowMs,
      reasons,
      lost: new Set(lost.map(({ peerId }) => peerId)),
      returned: new Set(),
      firstReturnMs: undefined
    }
    this.#enter(kind, reasons)
  }

  #end(nowMs: number): void {
    this.#peers.excuseAll()
    this.#episode = undefined
    this.#nowMs = nowMs
    this.#enter('whole', [])
  }

  #enter(name: PartitionName, reasons: readonly string[]): void {
    this.#name = name
    this.#sinceMs = this.#nowMs
    this.#reasons = reasons
    this.#judgement = undefined
  }

  #lostInWords(): string {
    const { lost, of } = this.#peers.counts(this.#nowMs)
    const [firstMs, lastMs] = this.#peers.lostBetweenMs
    return `${lost} of ${plural(of, 'peer')} fell silent within ${displayDuration(Math.ceil(lastMs - firstMs))}`
  }
}
