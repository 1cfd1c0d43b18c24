/**
 * What fits. Copies that are wanted are taken in the order of their urgency, as far as the quota, the part of it that one owner may have, and the
 * budget of the hour reach. Where the quota does not, what is less urgent than what is wanted goes first, and only if `min` proven copies
 * stand before it: so nothing that fewer nodes hold than must is ever let go of for room. What is equally urgent never takes the
 * place of something that is here, or two contents would go on doing that for ever.
 */
import type { Before } from './claims.ts'
import type { Candidate, Cause } from './types.ts'

/** No owner fills more of a node than a tenth. */
export const OWNER_SHARE = 0.1

/** Lower is more urgent. */
export const URGENCY: Readonly<Record<Cause, number>> = {
  pinned: 0,
  offered: 1,
  repair: 1,
  rank: 2,
  demand: 3,
  surplus: 4,
  evicted: 4,
  blocked: 0,
  'not-reader': 0
}

export interface Want {
  readonly candidate: Candidate
  readonly cause: Cause
  readonly worth: number
}

export interface Held {
  readonly candidate: Candidate
  /** As for a cause. */
  readonly urgency: number
  readonly worth: number
  /** Looked at only when it might go. */
  before(): Before
}

export interface Room {
  readonly quotaBytes: number
  /** Held or on their way as a mirror, in all and by owner. */
  readonly usedBytes: number
  readonly ownerBytes: ReadonlyMap<string, number>
  readonly budgetBytes: number
  readonly min: number
}

export interface Fitted<W, H> {
  readonly takes: readonly W[]
  readonly heldBack: ReadonlyArray<{ readonly want: W; readonly because: 'quota' | 'owner' | 'budget' }>
  readonly evictions: readonly H[]
  /** What could go if those before it proved themselves anew. */
  readonly stale: readonly H[]
}

/** Bytes that a take transfers. */
export const transferOf = ({ have, bytes }: Candidate): number => (have === 'cache' ? 0 : bytes)

export const byUrgency = (a: Want, b: Want): number =>
  URGENCY[a.cause] - URGENCY[b.cause] || b.worth - a.worth || compareContents(a.candidate, b.candidate)

const compareContents = (a: Candidate, b: Candidate): number =>
  a.content.toString() < b.content.toString() ? -1 : 1

/** `wants` by urgency. */
export function chooseFitting<W extends Want, H extends Held>(
  wants: readonly W[],
  held: () => readonly H[],
  room: Room
): Fitted<W, H> {
  const fitting = new Fitting<W, H>(held, room)
  if (room.quotaBytes > 0) fitting.shrink()
  for (const want of wants) fitting.take(want)
  return fitting
}

/** Why something is not taken now; `room`: it has room as soon as what goes for it is gone. */
export type Obstacle = 'quota' | 'owner' | 'budget' | 'room'

export class Fitting<W extends Want, H extends Held> implements Fitted<W, H> {
  readonly takes: W[] = []
  readonly heldBack: Array<{ want: W; because: 'quota' | 'owner' | 'budget' }> = []
  readonly evictions: H[] = []
  readonly stale: H[] = []
  readonly #room: Room
  readonly #held: () => readonly H[]
  readonly #ownerBytes: Map<string, number>
  /** The least urgent last. */
  #leaving: H[] | undefined
  #usedBytes: number
  #budgetBytes: number

  constructor(held: () => readonly H[], room: Room) {
    this.#held = held
    this.#room = room
    this.#usedBytes = room.usedBytes
    this.#budgetBytes = room.budgetBytes
    this.#ownerBytes = new Map(room.ownerBytes)
  }

  /** Down to a quota that was lowered. */
  shrink(): void {
    this.#makeRoom(0, -1, true)
  }

  take(want: W): Obstacle | undefined {
    const because = this.#obstacle(want)
    if (because !== undefined) {
      this.heldBack.push({ want, because: because === 'room' ? 'quota' : because })
      return because
    }
    const { owner, bytes } = want.candidate
    this.takes.push(want)
    this.#usedBytes += bytes
    this.#budgetBytes -= transferOf(want.candidate)
    this.#ownerBytes.set(owner, (this.#ownerBytes.get(owner) ?? 0) + bytes)
    return undefined
  }

  #obstacle({ candidate, cause }: W): Obstacle | undefined {
    const { quotaBytes } = this.#room
    const { owner, bytes } = candidate
    if (quotaBytes > 0) {
      const ownerBytes = (this.#ownerBytes.get(owner) ?? 0) + bytes
      if (cause !== 'pinned' && ownerBytes > quotaBytes * OWNER_SHARE) return 'owner'
      if (bytes > quotaBytes) return 'quota'
      // What goes has to be gone first: the take is planned again then.
      if (this.#usedBytes + bytes > quotaBytes)
        return this.#makeRoom(bytes, URGENCY[cause]) ? 'room' : 'quota'
    }
    return this.#budgetBytes <= 0 && transferOf(candidate) > 0 ? 'budget' : undefined
  }

  /** Lets go of what is less urgent, if that makes room for something of `bytes`, and whether it does; `always`: as far as it goes. */
  #makeRoom(bytes: number, urgency: number, always = false): boolean {
    const { quotaBytes } = this.#room
    let overBytes = this.#usedBytes + bytes - quotaBytes
    if (overBytes <= 0) return true
    this.#leaving ??= [...this.#held()].sort(byLeave)
    const going: H[] = []
    for (let at = this.#leaving.length - 1; at >= 0 && overBytes > 0; at--) {
      const held = this.#leaving[at]!
      if (held.urgency <= urgency) break
      if (!this.#mayGo(held)) continue
      going.push(held)
      overBytes -= held.candidate.bytes
    }
    if (overBytes > 0 && !always) return false
    this.evictions.push(...going)
    this.#leaving = this.#leaving.filter(held => !going.includes(held))
    for (const { candidate } of going) this.#usedBytes -= candidate.bytes
    // What room is made for takes it when it is there: it is not given away in between.
    this.#usedBytes += bytes
    return true
  }

  #mayGo(held: H): boolean {
    const { proven, fresh } = held.before()
    if (fresh >= this.#room.min) return true
    if (proven >= this.#room.min && !this.stale.includes(held)) this.stale.push(held)
    return false
  }
}

const byLeave = (a: Held, b: Held): number =>
  a.urgency - b.urgency || b.worth - a.worth || compareContents(a.candidate, b.candidate)
