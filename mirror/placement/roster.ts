import { assertInvariant } from '../../base/index.ts'
import { MAX_MEMBERS } from '../members/member-set.ts'
import { costOf, memberWords, scaleOf, type Words } from './cost.ts'

/** A node that may hold copies, as its member record says. */
export interface Member {
  /** Its peer id, as text. */
  readonly peer: string
  /** Its public key. */
  readonly key: Uint8Array
  readonly region: string
  readonly capacityClass: number
}

/** A member, and what its costs are made of. */
export interface Placed extends Member {
  readonly words: Words
  readonly scale: number
  /** The key in hex: who comes first of two with equal costs. */
  readonly name: string
}

/** Where a member stands for a content: lower comes first. */
export interface Place {
  readonly cost: number
  readonly name: string
}

export const isBefore = (a: Place, b: Place): boolean =>
  a.cost < b.cost || (a.cost === b.cost && a.name < b.name)

/** A place behind all members. */
export const LAST_PLACE: Place = { cost: Number.POSITIVE_INFINITY, name: '' }

export const placed = (member: Member): Placed => ({
  ...member,
  words: memberWords(member.key),
  scale: scaleOf(member.capacityClass),
  name: Buffer.from(member.key).toString('hex')
})

/** The members among which copies are placed, and where they stand for a content. */
export class Roster {
  readonly #byPeer = new Map<string, Placed>()
  /** The largest class first: those are before most others, so that a search that counts who is before ends early. */
  #ordered: Placed[] = []

  get size(): number {
    return this.#byPeer.size
  }

  get(peer: string): Placed | undefined {
    return this.#byPeer.get(peer)
  }

  peers(): Iterable<string> {
    return this.#byPeer.keys()
  }

  /** In place of what was known of that peer. */
  set(member: Member): void {
    this.remove(member.peer)
    assertInvariant(this.#byPeer.size < MAX_MEMBERS, `at most ${MAX_MEMBERS} members`)
    const entry = placed(member)
    this.#byPeer.set(member.peer, entry)
    const at = this.#ordered.findIndex(({ scale }) => scale > entry.scale)
    this.#ordered.splice(at < 0 ? this.#ordered.length : at, 0, entry)
  }

  remove(peer: string): void {
    if (!this.#byPeer.delete(peer)) return
    this.#ordered = this.#ordered.filter(member => member.peer !== peer)
  }

  /** Undefined for who is no member. */
  placeOf(peer: string, content: Words): Place | undefined {
    const member = this.#byPeer.get(peer)
    return member === undefined ? undefined : placeOf(member, content)
  }

  /** How many stand before a place, counted up to `limit`. */
  countBefore({ cost, name }: Place, content: Words, limit: number): number {
    let count = 0
    for (const member of this.#ordered) {
      const other = costOf(member.words, member.scale, content)
      if (other > cost || (other === cost && member.name >= name)) continue
      count++
      if (count === limit) break
    }
    return count
  }

  /** Those that stand first, in order, with their places. */
  first(content: Words, count: number): Array<Member & { readonly place: Place }> {
    const first: Array<{ member: Placed; place: Place }> = []
    let last = LAST_PLACE
    for (const member of this.#ordered) {
      const cost = costOf(member.words, member.scale, content)
      if (cost > last.cost) continue
      const place = { cost, name: member.name }
      if (first.length === count && !isBefore(place, last)) continue
      let at = first.length
      while (at > 0 && isBefore(place, first[at - 1]!.place)) at--
      first.splice(at, 0, { member, place })
      if (first.length > count) first.pop()
      if (first.length === count) last = first[count - 1]!.place
    }
    return first.map(({ member, place }) => ({ ...member, place }))
  }
}

export const placeOf = ({ words, scale, name }: Placed, content: Words): Place => ({
  cost: costOf(words, scale, content),
  name
})
