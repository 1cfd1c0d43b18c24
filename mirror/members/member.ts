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

import { CatalogError, DAY_MS, toCatalogError } from '../../base/index.ts'
import { MAX_REGION_LENGTH, REGION_LABEL } from '../../config/index.ts'
import {
  check,
  checkFields,
  decodeCanonical,
  encodeCanonical,
  must,
  RECORD_LIMITS
} from '../../library/index.ts'
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  type Signer,
  signWithDomain,
  verifyWithDomain
} from '../../trust/index.ts'

const MEMBER_FORMAT = 'catalog-member/1'
const SIGNATURE_DOMAIN = 'member'

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

const instant = must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs))

const MEMBER_FIELDS = {
  node: must(check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)),
  region: must(
    check.text({
      maxBytes: MAX_REGION_LENGTH,
      form: REGION_LABEL,
      what: 'a region such as eu-west or eu/fra'
    })
  ),
  class: must(check.integer(0, MAX_CAPACITY_CLASS)),
  sequence: instant,
  expires: instant,
  sig: must(check.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES))
}

interface MemberMap {
  readonly node: Uint8Array
  readonly region: string
  readonly class: number
  readonly sequence: number
  readonly expires: number
  readonly sig: Uint8Array
}

/** The class of a node that gives so many bytes: the logarithm of their number of GiB, rounded down. */
export function capacityClassOf(quotaBytes: number): number {
  let capacityClass = 0
  while (capacityClass < MAX_CAPACITY_CLASS && quotaBytes >= SMALLEST_CLASS_BYTES * 2 ** capacityClass)
    capacityClass++
  return capacityClass
}

/** Signs a member record. Throws MEMBER_INVALID for a statement that no reader would take. */
export function signMember({ capacityClass, ...statement }: MemberStatement, signer: Signer): MemberRecord {
  const unsigned = { format: MEMBER_FORMAT, node: signer.publicKey, class: capacityClass, ...statement }
  const sig = signWithDomain(signer, SIGNATURE_DOMAIN, encodeCanonical(unsigned))
  return decodeMember(encodeCanonical({ ...unsigned, sig }))
}

/**
 * Reads and verifies a member record. Throws MEMBER_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). Fields that this version does
 * not know are signed with the rest and kept in `bytes`.
 */
export function decodeMember(bytes: Uint8Array): MemberRecord {
  if (bytes.byteLength > MAX_MEMBER_BYTES) throw invalid(`has ${bytes.byteLength} bytes`)
  const map = readMap(bytes)
  const { sig, ...unsigned } = map
  if (!verifyWithDomain(map.node, SIGNATURE_DOMAIN, encodeCanonical(unsigned), sig))
    throw new CatalogError('SIGNATURE_INVALID', 'the signature of the member record does not hold')
  const { node, region, sequence, expires } = map
  return { node, region, capacityClass: map.class, sequence, expires, bytes: Uint8Array.from(bytes) }
}

function readMap(bytes: Uint8Array): MemberMap {
  try {
    const map = decodeCanonical(bytes)
    if (!check.isMap(map)) throw invalid('is not a map')
    checkFormat(map.format)
    checkFields(map, MEMBER_FIELDS)
    const member = map as unknown as MemberMap
    const { sequence, expires } = member
    if (expires <= sequence || expires > sequence + MAX_MEMBER_LIFETIME_MS)
      throw invalid('does not expire within 7 days after it was signed')
    return member
  } catch (thrown) {
    const error = toCatalogError(thrown)
    throw error.code === 'RECORD_INVALID' ? invalid(`cannot be read: ${error.message}`) : error
  }
}

function checkFormat(format: unknown): void {
  if (format === MEMBER_FORMAT) return
  if (typeof format !== 'string' || !/^catalog-member\/[1-9]\d{0,3}$/.test(format)) throw invalid('is none')
  throw new CatalogError('UNSUPPORTED', `the member record has the format ${format}`, {
    hint: `this node knows ${MEMBER_FORMAT}; upgrade Catalog to read it`
  })
}

function invalid(what: string): CatalogError {
  return new CatalogError('MEMBER_INVALID', `the member record ${what}`)
}
