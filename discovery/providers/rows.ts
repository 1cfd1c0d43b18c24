import { CatalogError } from '../../base/index.ts'
import { KEY_BYTES } from '../keys.ts'
import { FAMILIES } from './families.ts'

/**
 * The rows of the provider store. A claim is small and there may be two million of them; what is said about a provider
 * (its signed addresses) is large and shared by all its claims. Hence two families, and two with counts:
 *
 *   claim     family, group (1), distance (32), provider (multihash)  ->  version (1), expiresAt (6), receivedAt (6)
 *   provider  family, provider (multihash)  ->  version (1), claims (4), sequence (8), n (1), network (n), peer record envelope
 *   network   family, network               ->  version (1), claims (4), providers (4)
 *   totals    family                        ->  version (1), claims (4), providers (4)
 *
 * Times are milliseconds since the epoch, numbers big-endian. The distance is that of the key from this node in the key space,
 * so claims of one key stand together and an answer is one range read, and the claim that a full store can best do without
 * is the last row of group 0 (claims of others). Group 1 is this node's own claims, which are never in anybody's way. The
 * counts stand in rows, so opening the store reads nothing.
 */
const ROW_VERSION = 1
const CLAIM_BYTES = 13
const PROVIDER_HEAD_BYTES = 14
const COUNTS_BYTES = 9

/** Whose claim a row is. */
export const ClaimGroup = { Others: 0, Own: 1 } as const
export type ClaimGroup = (typeof ClaimGroup)[keyof typeof ClaimGroup]

export interface ClaimRow {
  expiresAt: number
  receivedAt: number
}

export interface ProviderRow {
  /** Claims of this provider in the store, expired ones that were not swept yet included. */
  claims: number
  /** Sequence number of the peer record: a larger one replaces it. */
  sequence: bigint
  /** The network its claims are counted to (`networkPrefix`); empty for one without limits. */
  network: Uint8Array
  /** The provider's addresses, signed by itself (libp2p envelope). */
  peerRecord: Uint8Array
}

/** What is counted of the whole store and of each network. */
export interface CountsRow {
  claims: number
  providers: number
}

/** Begins every claim of a group. */
export const groupPrefix = (group: ClaimGroup): Uint8Array =>
  Buffer.concat([FAMILIES.claim, Uint8Array.of(group)])

/** Begins every claim of the key at that distance. */
export const claimPrefix = (group: ClaimGroup, distance: Uint8Array): Uint8Array =>
  Buffer.concat([groupPrefix(group), distance])

export const claimRowKey = (group: ClaimGroup, distance: Uint8Array, provider: Uint8Array): Uint8Array =>
  Buffer.concat([groupPrefix(group), distance, provider])

export const providerRowKey = (provider: Uint8Array): Uint8Array =>
  Buffer.concat([FAMILIES.provider, provider])

export const networkRowKey = (network: Uint8Array): Uint8Array => Buffer.concat([FAMILIES.network, network])

export const totalsRowKey: Uint8Array = FAMILIES.totals

const DISTANCE_AT = FAMILIES.claim.length + 1
const PROVIDER_AT = DISTANCE_AT + KEY_BYTES

/** The distance in a claim's row key. */
export const distanceOfClaim = (rowKey: Uint8Array): Uint8Array => rowKey.subarray(DISTANCE_AT, PROVIDER_AT)

/** The provider that a claim's row key ends in. */
export const providerOfClaim = (rowKey: Uint8Array): Uint8Array => rowKey.subarray(PROVIDER_AT)

/** What the multihash of each Ed25519 peer id begins with: identity, 36 bytes, and the head of the key's protobuf. */
const PEER_ID_HEAD = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PLACE_BYTES = 6

/** `share` of the way (0 to 1) from all zeros to all ones, as the first 48 bits. */
function placeAt(share: number): Uint8Array {
  const place = Buffer.allocUnsafe(PLACE_BYTES)
  place.writeUIntBE(Math.floor(share * 2 ** (8 * PLACE_BYTES)), 0, PLACE_BYTES)
  return place
}

/** A place among all providers; `share` from 0 to 1. */
export const placeAmongProviders = (share: number): Uint8Array =>
  Buffer.concat([PEER_ID_HEAD, placeAt(share)])

/** A place among all claims of others; `share` from 0, this node itself, to 1, the farthest point there is. */
export const placeAmongClaims = (share: number): Uint8Array =>
  Buffer.concat([groupPrefix(ClaimGroup.Others), placeAt(share)])

export function encodeClaim(row: ClaimRow): Uint8Array {
  const bytes = Buffer.allocUnsafe(CLAIM_BYTES)
  bytes[0] = ROW_VERSION
  bytes.writeUIntBE(row.expiresAt, 1, 6)
  bytes.writeUIntBE(row.receivedAt, 7, 6)
  return bytes
}

export function decodeClaim(value: Uint8Array): ClaimRow {
  const bytes = checked(value, CLAIM_BYTES, 'claim')
  return { expiresAt: bytes.readUIntBE(1, 6), receivedAt: bytes.readUIntBE(7, 6) }
}

export function encodeProvider(row: ProviderRow): Uint8Array {
  const head = Buffer.allocUnsafe(PROVIDER_HEAD_BYTES)
  head[0] = ROW_VERSION
  head.writeUInt32BE(row.claims, 1)
  head.writeBigUInt64BE(row.sequence, 5)
  head[13] = row.network.length
  return Buffer.concat([head, row.network, row.peerRecord])
}

export function decodeProvider(value: Uint8Array): ProviderRow {
  const bytes = checked(value, PROVIDER_HEAD_BYTES, 'provider')
  const recordAt = PROVIDER_HEAD_BYTES + bytes[13]!
  return {
    claims: bytes.readUInt32BE(1),
    sequence: bytes.readBigUInt64BE(5),
    network: bytes.subarray(PROVIDER_HEAD_BYTES, recordAt),
    peerRecord: bytes.subarray(recordAt)
  }
}

export function encodeCounts(row: CountsRow): Uint8Array {
  const bytes = Buffer.allocUnsafe(COUNTS_BYTES)
  bytes[0] = ROW_VERSION
  bytes.writeUInt32BE(row.claims, 1)
  bytes.writeUInt32BE(row.providers, 5)
  return bytes
}

export function decodeCounts(value: Uint8Array): CountsRow {
  const bytes = checked(value, COUNTS_BYTES, 'counts')
  return { claims: bytes.readUInt32BE(1), providers: bytes.readUInt32BE(5) }
}

/** Rows were written by this code: one of another form is a bug or a migration that did not run. */
function checked(value: Uint8Array, minBytes: number, what: string): Buffer {
  if (value.length < minBytes || value[0] !== ROW_VERSION)
    throw new CatalogError('INTERNAL', `a ${what} row of the provider store has an unknown form`)
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}
