/**
 * A member record: the statement of a node that it volunteers to hold copies, one canonical DAG-CBOR map (docs/mirror.md, "Members"):
 *
 *   format    `catalog-member/1`
 *   node      public key of the node, 32 bytes; its peer id is made of it
 *   region    where it says that it is: `place`, or `area/place`
 *   class     capacity, 0 to 15: each class holds twice what the one below does
 *   sequence  when it was signed, ms since the epoch, and more than the one before
 *   expires   until when it counts, at most 7 days after `sequence`
 *   sig       Ed25519 signature of the node key, domain `member`, over the map without `sig`
 *
 * Class and region decide who should hold what, so they change rarely and by whole steps. Nothing here says whether the node is
 * up: that changes by the minute, and no two nodes see it alike. A node that leaves signs a record that has expired a millisecond later.
 */
import { DAY_MS } from '../../base/index.ts'
import { MAX_REGION_LENGTH, REGION_LABEL } from '../../config/index.ts'
import { check, must, RECORD_LIMITS, SignedMap } from '../../library/index.ts'
import type { Signer } from '../../trust/index.ts'

/** Twice what a record takes, so that fields can be added. Checked before decoding. */
export const MAX_MEMBER_BYTES = 512
export const MAX_CAPACITY_CLASS = 15
/** A node that is gone without a word is counted on for so long at most. */
export const MAX_MEMBER_LIFETIME_MS = 7 * DAY_MS
/** What class 0 stands for at most. */
const SMALLEST_CLASS_BYTES = 2 ** 31

export interface MemberStatement {
  readonly region: string
  readonly capacityClass: number
  /** Milliseconds since the epoch, like `expires`. */
  readonly sequence: number
  readonly expires: number
}

/** A record whose form and signature hold. */
export interface MemberRecord extends MemberStatement {
  readonly node: Uint8Array
  /** As they came: what is stored and passed on. */
  readonly bytes: Uint8Array
}

interface MemberMap extends Omit<MemberStatement, 'capacityClass'> {
  readonly node: Uint8Array
  readonly class: number
}

const instant = must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs))

const MEMBER_MAP = new SignedMap<MemberMap>({
  name: 'catalog-member',
  domain: 'member',
  title: 'member record',
  code: 'MEMBER_INVALID',
  maxBytes: MAX_MEMBER_BYTES,
  signer: 'node',
  fields: {
    region: must(
      check.text({
        maxBytes: MAX_REGION_LENGTH,
        form: REGION_LABEL,
        what: 'a region such as eu-west or eu/fra'
      })
    ),
    class: must(check.integer(0, MAX_CAPACITY_CLASS)),
    sequence: instant,
    expires: instant
  },
  fault: ({ sequence, expires }) =>
    expires <= sequence || expires > sequence + MAX_MEMBER_LIFETIME_MS
      ? 'does not expire within 7 days after it was signed'
      : undefined
})

/** The class of a node that gives so many bytes: the logarithm of their number of GiB, rounded down. */
export function capacityClassOf(quotaBytes: number): number {
  let capacityClass = 0
  while (capacityClass < MAX_CAPACITY_CLASS && quotaBytes >= SMALLEST_CLASS_BYTES * 2 ** capacityClass)
    capacityClass++
  return capacityClass
}

/** Signs a member record. Throws MEMBER_INVALID for a statement that no reader would take. */
export function signMember({ capacityClass, ...statement }: MemberStatement, signer: Signer): MemberRecord {
  return decodeMember(MEMBER_MAP.sign({ ...statement, class: capacityClass }, signer))
}

/**
 * Reads and verifies a member record. Throws MEMBER_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). Fields that this version does
 * not know are signed with the rest and kept in `bytes`.
 */
export const decodeMember = (bytes: Uint8Array): MemberRecord => recordOf(MEMBER_MAP.decode(bytes), bytes)

/** Reads one that was verified before it was stored here: ten thousand signatures take a second. Otherwise the same. */
export const decodeStoredMember = (bytes: Uint8Array): MemberRecord =>
  recordOf(MEMBER_MAP.decodeVerified(bytes), bytes)

const recordOf = (
  { node, region, class: capacityClass, sequence, expires }: MemberMap,
  bytes: Uint8Array
): MemberRecord => ({ node, region, capacityClass, sequence, expires, bytes: Uint8Array.from(bytes) })
