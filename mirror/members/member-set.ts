/**
 * The members that a node knows: of each node the record with the highest sequence (of equal ones the one whose bytes are larger), at most
 * 10,000. It is the same set in whatever order its records come: joining is commutative, associative and idempotent, as long as nothing
 * expires meanwhile. A record that has expired is remembered until every older one of its node must have expired too, so
 * that nobody brings back one that left by showing what it said before.
 *
 * With more than 10,000 nodes those stay whose keys have the smallest hashes. That is the same everywhere, and it is no defence: keys
 * are free, so who may join at all is for the library to say that the records are kept in.
 */
import { DAY_MS } from '../../base/index.ts'
import { isTimely } from '../../library/index.ts'
import { domainPrefix, sha256 } from '../../trust/index.ts'
import { MAX_MEMBER_LIFETIME_MS, type MemberRecord } from './member.ts'

/** What every node can rank for a hundred thousand contents, and 3 MB of records. */
export const MAX_MEMBERS = 10_000
const ORDER_PREFIX = domainPrefix('member-order')

export type MemberVerdict =
  | 'taken'
  /** The known record, or an older one. */
  | 'old'
  /** Dated more than ten minutes ahead: it would outlast what its node says next. */
  | 'early'
  /** All older records of its node have expired too, so it says nothing. */
  | 'expired'
  /** The set is full, and its key is none of those that stay. */
  | 'full'

export interface MemberSetOptions {
  readonly maxMembers?: number
  /** Told of each node of which nothing is remembered any more. */
  readonly onForgotten?: (record: MemberRecord) => void
}

interface Known {
  readonly record: MemberRecord
  /** Of the key: who stays when there are too many. */
  readonly order: string
}

export class MemberSet {
  readonly #known = new Map<string, Known>()
  readonly #maxMembers: number
  readonly #onForgotten: (record: MemberRecord) => void

  constructor({ maxMembers = MAX_MEMBERS, onForgotten = () => undefined }: MemberSetOptions = {}) {
    this.#maxMembers = maxMembers
    this.#onForgotten = onForgotten
  }

  /** Records that are kept, those of nodes that left included. */
  get size(): number {
    return this.#known.size
  }

  /** Verified by `decodeMember`. */
  add(record: MemberRecord, nowMs: number): MemberVerdict {
    if (!isTimely(record.sequence, nowMs)) return 'early'
    if (isForgotten(record, nowMs)) return 'expired'
    const name = hex(record.node)
    const known = this.#known.get(name)
    if (known !== undefined && !isNewer(record, known.record)) return 'old'
    const order = known?.order ?? hex(memberOrder(record.node))
    this.#known.set(name, { record, order })
    if (this.#known.size <= this.#maxMembers) return 'taken'
    this.prune(nowMs)
    const last = this.#known.size <= this.#maxMembers ? undefined : this.#lastInOrder()
    if (last !== undefined) this.#forget(last)
    return last === name ? 'full' : 'taken'
  }

  get(node: Uint8Array): MemberRecord | undefined {
    return this.#known.get(hex(node))?.record
  }

  /** Those that count now, in the order of their keys. */
  members(nowMs: number): MemberRecord[] {
    return [...this.#known]
      .filter(([, { record }]) => record.expires > nowMs)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { record }]) => record)
  }

  /** When the next member stops counting; undefined when nobody will. */
  nextExpiryMs(nowMs: number): number | undefined {
    const expiries = [...this.#known.values()].map(({ record }) => record.expires).filter(at => at > nowMs)
    return expiries.length === 0 ? undefined : expiries.reduce((least, at) => Math.min(least, at))
  }

  /** All that are kept, in no useful order. */
  *records(): Generator<MemberRecord> {
    for (const { record } of this.#known.values()) yield record
  }

  /** Lets go of what nobody can bring back any more. */
  prune(nowMs: number): void {
    for (const [name, { record }] of this.#known) if (isForgotten(record, nowMs)) this.#forget(name)
  }

  #forget(name: string): void {
    const { record } = this.#known.get(name)!
    this.#known.delete(name)
    this.#onForgotten(record)
  }

  #lastInOrder(): string {
    return [...this.#known].reduce((last, entry) => (entry[1].order > last[1].order ? entry : last))[0]
  }
}

/** By what it is decided who stays, and how records are told apart when two nodes compare what they know. */
export const memberOrder = (node: Uint8Array): Uint8Array => sha256(ORDER_PREFIX, node)

/** How long a node signs for: one that is gone without a word is out of the ranks a day later. */
export const MEMBER_LIFETIME_MS = DAY_MS

const isForgotten = ({ sequence }: MemberRecord, nowMs: number): boolean =>
  nowMs >= sequence + MAX_MEMBER_LIFETIME_MS

function isNewer(record: MemberRecord, known: MemberRecord): boolean {
  if (record.sequence !== known.sequence) return record.sequence > known.sequence
  return Buffer.compare(record.bytes, known.bytes) > 0
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
