import type { Claim, Holder } from './claims.ts'
import { leastTelling, MAX_CLAIMS } from './claims.ts'
import { contentWords, type Words } from './cost.ts'
import type { Verdict } from './decide.ts'
import type { OwnRank } from './own-rank.ts'
import type { Candidate, PeerState } from './types.ts'

const NOTHING: Verdict = { kind: 'none', dueMs: Number.POSITIVE_INFINITY }

/** A peer, and what it says that it holds. */
export interface KnownPeer {
  state: PeerState
  readonly entries: Set<Entry>
}

/** What the planner keeps of one content. */
export class Entry {
  readonly words: Words
  candidate: Candidate
  own: OwnRank
  verdict: Verdict = NOTHING
  /** Since when it has been looked up who holds it. */
  knownSinceMs: number | undefined
  /** Made for the first one: of most contents there is none. */
  #claims: Map<string, Claim> | undefined
  readonly #stateOf: (peer: string) => PeerState

  constructor(candidate: Candidate, rank: (words: Words) => OwnRank, stateOf: (peer: string) => PeerState) {
    this.candidate = candidate
    this.words = contentWords(candidate.content)
    this.own = rank(this.words)
    this.#stateOf = stateOf
  }

  get isMirrored(): boolean {
    return this.candidate.have === 'mirror'
  }

  /** Bytes that count as mirrored. */
  get usedBytes(): number {
    const { have, bytes } = this.candidate
    return have === 'mirror' || have === 'coming' ? bytes : 0
  }

  claim(peer: string): Claim | undefined {
    return this.#claims?.get(peer)
  }

  peers(): Iterable<string> {
    return this.#claims?.keys() ?? []
  }

  /** With too many claims one that says nothing makes room; with none of those the new one is not kept. */
  setClaim(
    peer: string,
    claim: Claim,
    isMember: (peer: string) => boolean,
    nowMs: number
  ): { isKept: boolean; displaced?: string } {
    this.#claims ??= new Map()
    const claims = this.#claims
    if (claims.has(peer) || claims.size < MAX_CLAIMS) {
      claims.set(peer, claim)
      return { isKept: true }
    }
    const displaced = leastTelling(this.holders(), isMember, nowMs)
    if (displaced === undefined) return { isKept: false }
    claims.delete(displaced)
    claims.set(peer, claim)
    return { isKept: true, displaced }
  }

  removeClaim(peer: string): void {
    this.#claims?.delete(peer)
  }

  *holders(): Generator<Holder> {
    for (const [peer, claim] of this.#claims ?? []) yield { peer, claim, state: this.#stateOf(peer) }
  }
}
