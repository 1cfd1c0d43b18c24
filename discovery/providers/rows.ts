import { CatalogError } from '../../base/index.ts'
import { KEY_BYTES } from '../keys.ts'
import { FAMILIES } from './families.ts'

/**
 * The rows of the provider store. A claim is small and there may be two million of them; what is said about a provider
 * (its signed addresses) is large and shared by all its claims. Hence two families, and a third with one row of totals:
 *
 *   claim     family, key (32), provider (multihash)  ->  version (1), expiresAt (6), receivedAt (6)
 *   provider  family, provider (multihash)            ->  version (1), claims (4), sequence (8), peer record envelope
 *   totals    family                                  ->  version (1), claims (4), providers (4)
 *
 * Times are milliseconds since the epoch, numbers big-endian. Claims of one key stand together, so an answer is one range
 * read; the counts stand in the rows, so opening the store reads nothing.
 */
const ROW_VERSION = 1
const CLAIM_BYTES = 13
const PROVIDER_HEAD_BYTES = 13
const TOTALS_BYTES = 9

export interface ClaimRow {
  expiresAt: number
  receivedAt: number
}

export interface ProviderRow {
  /** Claims of this provider in the store, expired ones that were not swept yet included. */
  claims: number
  /** Sequence number of the peer record: a larger one replaces it. */
  sequence: bigint
  /** The provider's addresses, signed by itself (libp2p envelope). */
  peerRecord: Uint8Array
}

export interface TotalsRow {
  claims: number
  providers: number
}

/** Begins every claim of `key`; without one, every claim. */
export const claimPrefix = (key?: Uint8Array): Uint8Array =>
  key === undefined ? FAMILIES.claim : Buffer.concat([FAMILIES.claim, key])

export const claimRowKey = (key: Uint8Array, provider: Uint8Array): Uint8Array =>
  Buffer.concat([FAMILIES.claim, key, provider])

export const providerRowKey = (provider: Uint8Array): Uint8Array =>
  Buffer.concat([FAMILIES.provider, provider])

export const totalsRowKey: Uint8Array = FAMILIES.totals

/** The provider that a claim's row key ends in. */
export const providerOfClaim = (rowKey: Uint8Array): Uint8Array =>
  rowKey.subarray(FAMILIES.claim.length + KEY_BYTES)

/** What the multihash of each Ed25519 peer id begins with: identity, 36 bytes, and the head of the key's protobuf. */
const PEER_ID_HEAD = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PLACE_BYTES = 6

/** A place among all providers; `share` from 0 to 1. */
export function placeAmongProviders(share: number): Uint8Array {
  const place = Buffer.allocUnsafe(PLACE_BYTES)
  place.writeUIntBE(Math.floor(share * 2 ** (8 * PLACE_BYTES)), 0, PLACE_BYTES)
  return Buffer.concat([PEER_ID_HEAD, place])
}

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
  return Buffer.concat([head, row.peerRecord])
}

export function decodeProvider(value: Uint8Array): ProviderRow {
  const bytes = checked(value, PROVIDER_HEAD_BYTES, 'provider')
  return {
    claims: bytes.readUInt32BE(1),
    sequence: bytes.readBigUInt64BE(5),
    peerRecord: bytes.subarray(PROVIDER_HEAD_BYTES)
  }
}

export function encodeTotals(row: TotalsRow): Uint8Array {
  const bytes = Buffer.allocUnsafe(TOTALS_BYTES)
  bytes[0] = ROW_VERSION
  bytes.writeUInt32BE(row.claims, 1)
  bytes.writeUInt32BE(row.providers, 5)
  return bytes
}

export function decodeTotals(value: Uint8Array): TotalsRow {
  const bytes = checked(value, TOTALS_BYTES, 'totals')
  return { claims: bytes.readUInt32BE(1), providers: bytes.readUInt32BE(5) }
}

/** Rows were written by this code: one of another form is a bug or a migration that did not run. */
function checked(value: Uint8Array, minBytes: number, what: string): Buffer {
  if (value.length < minBytes || value[0] !== ROW_VERSION)
    throw new CatalogError('INTERNAL', `a ${what} row of the provider store has an unknown form`)
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}
