/**
 * The members that this node knows: a set in memory, its rows in the database (docs/disk-format.md, `mb/`), and its sketch, by which two nodes
 * find out what one has and the other has not. It believes no one: what it takes was verified.
 */
import type { Clock, Logger } from '../../../base/index.ts'
import { type Database, KeyFamily, makeKey, type WriteOperation } from '../../../library/index.ts'
import {
  decodeStoredMember,
  MAX_MEMBERS,
  type Member,
  type MemberRecord,
  MemberSet,
  type MemberVerdict,
  memberOrder
} from '../../../mirror/index.ts'
import { MEMBER_KEY_BYTES } from '../../../protocols/index.ts'
import { MAX_SKETCH_CELLS, Sketch } from '../../../sync/index.ts'
import { bytesEqual, sha256 } from '../../../trust/index.ts'
import { peerOf } from '../writer-key.ts'

/** Rows that are read at the start: a crash between two batches may have left some that were to go. */
const MAX_ROWS = 2 * MAX_MEMBERS
/** Rows of one batch: 250 KB. */
const ROWS_PER_BATCH = 1000

export interface KnownMembersModules {
  database: Database
  clock: Pick<Clock, 'now'>
  logger: Logger
}

export class KnownMembers {
  readonly #modules: KnownMembersModules
  readonly #set = new MemberSet({ onForgotten: record => this.#forgotten(record) })
  /** Nodes by the key of their records in a comparison. */
  readonly #nodes = new Map<string, Uint8Array>()
  /** Hashes of the records that are here. */
  readonly #hashes = new Set<string>()
  /** Nodes whose rows are not as the set is. */
  readonly #unsaved = new Map<string, Uint8Array>()
  /** Of all records that are here. */
  readonly sketch = new Sketch(MAX_SKETCH_CELLS)
  #members: readonly Member[] = []
  #isRosterOld = true
  #nextExpiryMs: number | undefined

  /** With what earlier lives of the daemon heard. Its own rows are trusted: signatures were verified before they were written. */
  static async open(modules: KnownMembersModules): Promise<KnownMembers> {
    const known = new KnownMembers(modules)
    const prefix = makeKey(KeyFamily.Member)
    for await (const [key, value] of modules.database.iterate({ prefix, limit: MAX_ROWS })) {
      const node = Uint8Array.from(key.subarray(prefix.byteLength))
      const record = readRow(node, value)
      if (record === undefined)
        modules.logger.warn({ node: hexOf(node) }, 'the row of a member cannot be read')
      const isKept = record !== undefined && known.take(record) === 'taken'
      // What is kept is as its row is; what is not goes from the disk too.
      if (isKept) known.#unsaved.delete(hexOf(node))
      else known.#unsaved.set(hexOf(node), node)
    }
    known.refresh()
    return known
  }

  private constructor(modules: KnownMembersModules) {
    this.#modules = modules
  }

  /** Records that are kept, those of nodes that left included. */
  get size(): number {
    return this.#set.size
  }

  get(node: Uint8Array): MemberRecord | undefined {
    return this.#set.get(node)
  }

  /** Whether this very record is here. */
  has(record: Uint8Array): boolean {
    return this.#hashes.has(textOf(sha256(record)))
  }

  /** A verified record. What members there are shows after `refresh`. */
  take(record: MemberRecord): MemberVerdict {
    const nowMs = this.#modules.clock.now()
    const before = this.#set.get(record.node)
    const verdict = this.#set.add(record, nowMs)
    if (verdict !== 'taken') return verdict
    if (before !== undefined) this.#drop(before)
    const recHash = sha256(record.bytes)
    this.#hashes.add(textOf(recHash))
    this.sketch.add(memberOrder(record.node), recHash)
    this.#nodes.set(textOf(memberKeyOf(record.node)), record.node)
    this.#unsaved.set(hexOf(record.node), record.node)
    if (before === undefined || !isRenewal(before, record, nowMs)) this.#isRosterOld = true
    else this.#nextExpiryMs = Math.min(record.expires, this.#nextExpiryMs ?? record.expires)
    return verdict
  }

  /** The node behind a key of a comparison, and its record; undefined where nothing is known of one. */
  byKey(key: Uint8Array): MemberRecord | undefined {
    const node = this.#nodes.get(textOf(key))
    return node === undefined ? undefined : this.#set.get(node)
  }

  /** Those that counted at the last `refresh`, in the order of their keys. */
  members(): readonly Member[] {
    return this.#members
  }

  /** When the next of them stops counting. */
  nextExpiryMs(): number | undefined {
    return this.#nextExpiryMs
  }

  /** Looks who counts now; says whether that is another than before. A renewal changes nothing. */
  refresh(): boolean {
    const nowMs = this.#modules.clock.now()
    if (!this.#isRosterOld && nowMs < (this.#nextExpiryMs ?? Number.POSITIVE_INFINITY)) return false
    this.#set.prune(nowMs)
    const before = new Map(this.#members.map(member => [hexOf(member.key), member]))
    const members = this.#set.members(nowMs).map(record => memberOf(record, before.get(hexOf(record.node))))
    const isSame =
      members.length === this.#members.length && members.every((member, at) => member === this.#members[at])
    this.#members = members
    this.#isRosterOld = false
    this.#nextExpiryMs = this.#set.nextExpiryMs(nowMs)
    return !isSame
  }

  /** Writes what has changed. With `sync` it is on disk when this resolves. What could not be written is written with the next. */
  async save({ sync }: { sync: boolean }): Promise<void> {
    const unsaved = [...this.#unsaved]
    for (let at = 0; at < unsaved.length; at += ROWS_PER_BATCH) {
      const rows = unsaved.slice(at, at + ROWS_PER_BATCH)
      for (const [name] of rows) this.#unsaved.delete(name)
      try {
        await this.#modules.database.write(
          rows.map(([, node]) => this.#rowOf(node)),
          { sync }
        )
      } catch (error) {
        for (const [name, node] of rows) this.#unsaved.set(name, node)
        throw error
      }
    }
  }

  #rowOf(node: Uint8Array): WriteOperation {
    const key = makeKey(KeyFamily.Member, node)
    const record = this.#set.get(node)
    return record === undefined ? { type: 'del', key } : { type: 'put', key, value: record.bytes }
  }

  #forgotten(record: MemberRecord): void {
    // One that found no place among the others was never here.
    if (!this.has(record.bytes)) return
    this.#drop(record)
    this.#nodes.delete(textOf(memberKeyOf(record.node)))
    this.#unsaved.set(hexOf(record.node), record.node)
    this.#isRosterOld = true
  }

  #drop({ node, bytes }: MemberRecord): void {
    const recHash = sha256(bytes)
    this.#hashes.delete(textOf(recHash))
    this.sketch.remove(memberOrder(node), recHash)
  }
}

/** By which the record of a node is called in a comparison. */
export const memberKeyOf = (node: Uint8Array): Uint8Array => memberOrder(node).subarray(0, MEMBER_KEY_BYTES)

/** Whether it says what the one before said, for longer: of all that comes nearly everything. */
const isRenewal = (before: MemberRecord, record: MemberRecord, nowMs: number): boolean =>
  Math.min(before.expires, record.expires) > nowMs &&
  before.capacityClass === record.capacityClass &&
  before.region === record.region

/** The same object for who has not changed. */
function memberOf({ node, region, capacityClass }: MemberRecord, before: Member | undefined): Member {
  if (before?.region === region && before.capacityClass === capacityClass) return before
  return { peer: before?.peer ?? peerOf(node), key: node, region, capacityClass }
}

function readRow(node: Uint8Array, value: Uint8Array): MemberRecord | undefined {
  try {
    const record = decodeStoredMember(value)
    return bytesEqual(record.node, node) ? record : undefined
  } catch {
    return undefined
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
