/**
 * A proof that a record is, or is not, in the set that a root stands for. It is the path from the top down to where the key's record
 * stands or would stand, without what the verifier computes itself: the hash and count of each node on the path. Bytes:
 *
 *   01                        version
 *   key                       32: the trieKey that the proof speaks of
 *   depth u8                  interior nodes on the path, 0 to 64
 *   depth times, top first    the 15 slots (36 each) beside the path's own, in the order of their digits
 *   records u8                of the bucket that the path ends in, 0 to 32; 0 = nothing stands there
 *   records times             the bucket's entries (64 each)
 *
 * The verifier begins at the bottom. The bucket gives a hash and a count, they fill the gap in the node above, that gives the next
 * hash, and so on up to the top and the root. Whoever can make a false proof for a true root has found two inputs with the same
 * SHA-256. The bucket proves absence as well as presence, because it holds every key of its path and shows them all; and so
 * does an empty slot. At a million records a proof has 3.2 KB on average.
 */
import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  areInOrder,
  asBuffer,
  ENTRY_BYTES,
  type Entries,
  findEntry,
  HASH_BYTES,
  NO_ENTRIES
} from './entries.ts'
import {
  childAt,
  countOf,
  encodeBucket,
  encodeInterior,
  MAX_BUCKET_RECORDS,
  type NodeRef,
  refOf,
  rootOf,
  SLOT_BYTES,
  type Slots,
  setChild,
  slotsProblem
} from './node.ts'
import { digitAt, FAN_OUT, MAX_DEPTH, pathOf } from './path.ts'
import { readNode, type TreeView } from './view.ts'

const PROOF_VERSION = 1
const DEPTH_AT = 1 + HASH_BYTES
const STEPS_AT = DEPTH_AT + 1
const STEP_BYTES = (FAN_OUT - 1) * SLOT_BYTES
const MIN_PROOF_BYTES = STEPS_AT + 1
/** Of the deepest path and a full bucket, 36 KB: more cannot be one. Honest sets of a million records need 4.3 KB at most. */
export const MAX_PROOF_BYTES = MIN_PROOF_BYTES + MAX_DEPTH * STEP_BYTES + MAX_BUCKET_RECORDS * ENTRY_BYTES

export interface ProvenRecord {
  readonly trieKey: Uint8Array
  /** The record under that key; undefined when the set has none. */
  readonly recHash: Uint8Array | undefined
  /** Records in the whole set. */
  readonly count: number
}

/** Proves whether there is a record under a key, and which. Throws what the view's source throws. */
export function proveRecord({ top, nodes }: TreeView, trieKey: Uint8Array): Uint8Array {
  const steps: Buffer[] = []
  let entries = NO_ENTRIES
  for (let ref = top; ref !== undefined; ) {
    const depth = steps.length
    const node = readNode(nodes, pathOf(trieKey, depth), ref)
    if (node.kind === 'bucket') {
      entries = node.entries
      break
    }
    const digit = digitAt(trieKey, depth)
    steps.push(encodeStep(node.slots, digit))
    ref = childAt(node.slots, digit)
  }
  const head = Buffer.concat([Uint8Array.of(PROOF_VERSION), trieKey, Uint8Array.of(steps.length)])
  const records = Uint8Array.of(entries.byteLength / ENTRY_BYTES)
  return Uint8Array.from(Buffer.concat([head, ...steps, records, entries]))
}

/**
 * What a proof proves of the set with this root. Needs nothing but the two. Throws PROOF_INVALID when it proves nothing: it is not in
 * its one form, or it is of another set.
 */
export function verifyProof(proof: Uint8Array, root: Uint8Array): ProvenRecord {
  const { trieKey, steps, entries } = decodeProof(proof)
  let ref =
    entries.byteLength === 0 ? undefined : refOf(entries.byteLength / ENTRY_BYTES, encodeBucket(entries))
  for (let depth = steps.length - 1; depth >= 0; depth--)
    ref = parentOf(steps[depth]!, digitAt(trieKey, depth), ref)
  if (!bytesEqual(rootOf(ref), root)) throw invalid('is of another set')
  return { trieKey, recHash: findEntry(entries, trieKey), count: ref?.count ?? 0 }
}

interface DecodedProof {
  trieKey: Uint8Array
  steps: Buffer[]
  entries: Entries
}

function decodeProof(proof: Uint8Array): DecodedProof {
  if (proof.byteLength < MIN_PROOF_BYTES || proof.byteLength > MAX_PROOF_BYTES)
    throw invalid(`has ${proof.byteLength} bytes`)
  const bytes = asBuffer(proof)
  if (bytes[0] !== PROOF_VERSION) throw invalid(`has the version ${bytes[0]}`)
  const trieKey = Uint8Array.from(bytes.subarray(1, DEPTH_AT))
  const depth = bytes[DEPTH_AT]!
  if (depth > MAX_DEPTH) throw invalid(`is ${depth} nodes deep`)
  const recordsAt = STEPS_AT + depth * STEP_BYTES
  // Undefined behind the end, and then no length fits.
  const records = bytes[recordsAt] ?? Number.NaN
  if (!(records <= MAX_BUCKET_RECORDS) || bytes.byteLength !== recordsAt + 1 + records * ENTRY_BYTES)
    throw invalid('is cut off or has bytes after its end')
  const steps = Array.from({ length: depth }, (_, at) =>
    bytes.subarray(STEPS_AT + at * STEP_BYTES, STEPS_AT + (at + 1) * STEP_BYTES)
  )
  const entries = bytes.subarray(recordsAt + 1)
  if (!areInOrder(entries, pathOf(trieKey, depth))) throw invalid('has a bucket that cannot stand there')
  return { trieKey, steps, entries }
}

/** All slots of an interior node but the path's own, which the verifier fills in. */
const encodeStep = (slots: Slots, own: number): Buffer =>
  Buffer.concat([slots.subarray(0, own * SLOT_BYTES), slots.subarray((own + 1) * SLOT_BYTES)])

/** The interior node of a step, with `child` in the slot that the step leaves out. */
function parentOf(step: Buffer, own: number, child: NodeRef | undefined): NodeRef {
  const before = own * SLOT_BYTES
  const slots = Buffer.concat([step.subarray(0, before), Buffer.alloc(SLOT_BYTES), step.subarray(before)])
  setChild(slots, own, child)
  const problem = slotsProblem(slots)
  if (problem !== undefined) throw invalid(`has a node that ${problem}`)
  return refOf(countOf(slots), encodeInterior(slots))
}

function invalid(what: string): CatalogError {
  return new CatalogError('PROOF_INVALID', `the proof ${what}`)
}
