/**
 * Nodes of the trie as bytes, which are what is stored and what is hashed (docs/sync.md, "The trie"):
 *
 *   bucket    00, then the entries of 1 to 32 records
 *   interior  01, then for each of the 16 digits how many records stand below (u32BE) and the hash of that child; 36
 *             zero bytes where there is none. Together more than 32 records.
 *
 *   nodeHash = SHA-256(bytes)
 *   root     = SHA-256("catalog/root/1\0" || fan-out u32BE || records of a bucket u32BE || count u32BE || hash of the top)
 *
 * A node says nothing of its place: only its shape and the keys in it do. The first byte keeps a bucket from being taken for an
 * interior node, the prefix keeps the root apart from every other hash, and the numbers in it a trie of other constants
 * from this one. Decoding accepts nothing that encoding would not give.
 */
import { CatalogError } from '../../base/index.ts'
import { domainPrefix, sha256 } from '../../trust/index.ts'
import { areInOrder, asBuffer, ENTRY_BYTES, type Entries, entryCount, HASH_BYTES } from './entries.ts'
import { FAN_OUT, type Path } from './path.ts'

/**
 * Records of a bucket at most. With 16 children a full one splits into buckets of two on average; measured at a million records
 * it gives the smallest proofs and the least to write for one insert.
 */
export const MAX_BUCKET_RECORDS = 32
/** What a count of four bytes can hold: the records of one library at most. */
export const MAX_RECORDS = 0xffff_ffff

const COUNT_BYTES = 4
export const SLOT_BYTES = COUNT_BYTES + HASH_BYTES
export const INTERIOR_BYTES = 1 + FAN_OUT * SLOT_BYTES
/** The larger of the two kinds: a full bucket. */
export const MAX_NODE_BYTES = 1 + MAX_BUCKET_RECORDS * ENTRY_BYTES

const Tag = { Bucket: 0, Interior: 1 } as const
const ROOT_PREFIX = domainPrefix('root')
const NO_HASH = new Uint8Array(HASH_BYTES)

/** A node as its parent knows it. */
export interface NodeRef {
  /** Records below it; at least 1. */
  readonly count: number
  /** SHA-256 of its bytes. */
  readonly hash: Uint8Array
}

/** The children of an interior node as they stand in it, read one at a time: most are looked at for one digit only. */
export type Slots = Buffer

export type TreeNode =
  | { readonly kind: 'bucket'; readonly entries: Entries }
  | { readonly kind: 'interior'; readonly slots: Slots }

/** By the bytes of a node: nine records make a bucket as long as an interior node. */
export const isInterior = (bytes: Uint8Array): boolean => bytes[0] === Tag.Interior

export const isBucket = ({ count }: Pick<NodeRef, 'count'>): boolean => count <= MAX_BUCKET_RECORDS

export const refOf = (count: number, bytes: Uint8Array): NodeRef => ({ count, hash: sha256(bytes) })

/** The 32 bytes that stand for the whole set; `top` is undefined when it is empty. */
export function rootOf(top: NodeRef | undefined): Uint8Array {
  const numbers = Buffer.alloc(3 * COUNT_BYTES)
  numbers.writeUInt32BE(FAN_OUT, 0)
  numbers.writeUInt32BE(MAX_BUCKET_RECORDS, COUNT_BYTES)
  numbers.writeUInt32BE(top?.count ?? 0, 2 * COUNT_BYTES)
  return sha256(ROOT_PREFIX, numbers, top?.hash ?? NO_HASH)
}

export function encodeBucket(entries: Entries): Uint8Array {
  const bytes = new Uint8Array(1 + entries.byteLength)
  bytes[0] = Tag.Bucket
  bytes.set(entries, 1)
  return bytes
}

export function encodeInterior(slots: Slots): Uint8Array {
  const bytes = new Uint8Array(INTERIOR_BYTES)
  bytes[0] = Tag.Interior
  bytes.set(slots, 1)
  return bytes
}

/** Slots of these children, one per digit. */
export function slotsOf(children: ReadonlyArray<NodeRef | undefined>): Slots {
  const slots = Buffer.alloc(FAN_OUT * SLOT_BYTES)
  for (const [digit, child] of children.entries()) setChild(slots, digit, child)
  return slots
}

/** Undefined where there are no records; its hash is a view. */
export function childAt(slots: Slots, digit: number): NodeRef | undefined {
  const at = digit * SLOT_BYTES
  const count = slots.readUInt32BE(at)
  return count === 0 ? undefined : { count, hash: slots.subarray(at + COUNT_BYTES, at + SLOT_BYTES) }
}

export function setChild(slots: Slots, digit: number, child: NodeRef | undefined): void {
  const at = digit * SLOT_BYTES
  slots.writeUInt32BE(child?.count ?? 0, at)
  slots.set(child?.hash ?? NO_HASH, at + COUNT_BYTES)
}

/** Records below all children together. */
export function countOf(slots: Slots): number {
  let count = 0
  for (let at = 0; at < slots.byteLength; at += SLOT_BYTES) count += slots.readUInt32BE(at)
  return count
}

/**
 * What is wrong with the slots of an interior node; undefined when each is a child's or all zeros, and the records below them
 * are as many as such a node has.
 */
export function slotsProblem(slots: Slots): string | undefined {
  for (let at = 0; at < slots.byteLength; at += SLOT_BYTES) {
    const isHashed = slots.compare(NO_HASH, 0, HASH_BYTES, at + COUNT_BYTES, at + SLOT_BYTES) !== 0
    if (slots.readUInt32BE(at) > 0 !== isHashed) return 'has a child of no records'
  }
  const count = countOf(slots)
  return count > MAX_BUCKET_RECORDS && count <= MAX_RECORDS ? undefined : `is interior over ${count} records`
}

/**
 * Reads a node; what it returns are views into `stored`. Throws TREE_DAMAGED unless these are the very bytes that encoding gives
 * for a node at `path`.
 */
export function decodeNode(stored: Uint8Array, path: Path = ''): TreeNode {
  const bytes = asBuffer(stored)
  if (bytes[0] === Tag.Bucket) return { kind: 'bucket', entries: decodeBucket(bytes, path) }
  if (bytes[0] === Tag.Interior) return { kind: 'interior', slots: decodeInterior(bytes, path) }
  throw damaged('is neither a bucket nor interior', path)
}

function decodeBucket(bytes: Buffer, path: Path): Entries {
  const entries = bytes.subarray(1)
  const count = entryCount(entries)
  if (!Number.isInteger(count) || count < 1 || count > MAX_BUCKET_RECORDS)
    throw damaged(`is a bucket of ${bytes.byteLength} bytes`, path)
  if (!areInOrder(entries, path)) throw damaged('is a bucket whose keys are out of order or place', path)
  return entries
}

function decodeInterior(bytes: Buffer, path: Path): Slots {
  if (bytes.byteLength !== INTERIOR_BYTES)
    throw damaged(`is interior and has ${bytes.byteLength} bytes`, path)
  const slots = bytes.subarray(1)
  const problem = slotsProblem(slots)
  if (problem !== undefined) throw damaged(problem, path)
  return slots
}

export function damaged(what: string, path: Path): CatalogError {
  const where = path === '' ? 'the top node' : `the node ${path}`
  return new CatalogError('TREE_DAMAGED', `${where} of the tree ${what}`, { details: { path } })
}
