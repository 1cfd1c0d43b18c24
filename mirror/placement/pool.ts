import type { Words } from './cost.ts'
import type { Entry } from './entry.ts'
import { isMoved, type OwnRank, rankOwn } from './own-rank.ts'
import { type Member, type Placed, placed, placeOf, Roster } from './roster.ts'
import { spreadFor } from './strategies.ts'
import type { MirrorPolicy } from './types.ts'

/** With so many changes at once it costs less to rank everything anew than to look at each of them. */
const MAX_CHANGES = 64

/** A member that came, went, or has another class or region. */
export interface Touched {
  readonly peer: string
  readonly from: Placed | undefined
  readonly to: Placed | undefined
}

/** Members that share what they mirror, and the contents that are placed among them. */
export class Pool {
  readonly roster = new Roster()
  readonly entries = new Set<Entry>()
  #self: Placed

  constructor(self: Member) {
    this.#self = placed(self)
  }

  set self(self: Member) {
    this.#self = placed(self)
  }

  get #isMember(): boolean {
    return this.roster.get(this.#self.peer) !== undefined
  }

  /** `isAnew`: all ranks have to be made anew. */
  setMembers(members: readonly Member[]): { touched: Touched[]; isAnew: boolean } {
    const wasMember = this.#isMember
    const coming = new Map(members.map(member => [member.peer, member]))
    const touched: Touched[] = []
    const change = (peer: string, after: Member | undefined): void => {
      const from = this.roster.get(peer)
      this.roster.remove(peer)
      if (after !== undefined) this.roster.set(after)
      touched.push({ peer, from, to: this.roster.get(peer) })
    }
    for (const peer of [...this.roster.peers()]) {
      const after = coming.get(peer)
      if (after === undefined || !isSame(this.roster.get(peer)!, after)) change(peer, after)
    }
    for (const member of members) if (this.roster.get(member.peer) === undefined) change(member.peer, member)
    const isAnew = touched.length > MAX_CHANGES || wasMember !== this.#isMember
    return { touched, isAnew }
  }

  /** Takes in who came and went; true when the rank for this entry has to be made anew. */
  isMoved({ own, words }: Entry, touched: readonly Touched[]): boolean {
    if (!this.#isMember) return false
    let isAnew = false
    for (const { from, to } of touched) if (isMoved(own, from, to, words)) isAnew = true
    return isAnew
  }

  rank(content: Words, policy: MirrorPolicy): OwnRank {
    const self = {
      peer: this.#self.peer,
      place: placeOf(this.#self, content),
      isMember: this.#isMember
    }
    return rankOwn(this.roster, self, content, { spread: spreadFor(policy), max: policy.max })
  }
}

const isSame = (a: Member, b: Member): boolean =>
  a.region === b.region && a.capacityClass === b.capacityClass && Buffer.compare(a.key, b.key) === 0
