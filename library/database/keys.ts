/**
 * Every key family of the node's LevelDB, with builders and parsers; no other file makes a key. A key is an ASCII
 * family prefix and a fixed layout behind it (docs/disk.md). Text parts are followed by a zero byte, which no name or
 * version can contain, so that keys sort by name and no key is a prefix of another's part. Numbers are big-endian.
 *
 * | family | key | value |
 * | --- | --- | --- |
 * | `r/` | recHash (32) | the record's exact signed bytes |
 * | `i/` | SHA-256 of the record's bytes (the digest in its CID) | recHash |
 * | `m/` | recHash, library id | empty: the record is a member of that library |
 * | `k/` | name 0 version 0 owner (32) recHash | sequence (8), CID of the content |
 * | `s/` | library id | revision (8), number of members (8) |
 * | `o/` | name | owner pinned under that name (32) |
 * | `a/` | name | announcement schedule: next due (8), added (8), both in ms |
 */
const DIGEST_BYTES = 32
const OWNER_BYTES = 32
const U64_BYTES = 8

const family = (prefix: string): Uint8Array => bytesOf(prefix)

/** Family prefixes, for ranges over a whole family. */
export const FAMILY = {
  record: family('r/'),
  recordId: family('i/'),
  membership: family('m/'),
  nameIndex: family('k/'),
  libraryState: family('s/'),
  ownerPin: family('o/'),
  announcement: family('a/')
} as const

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    key.set(part, offset)
    offset += part.byteLength
  }
  return key
}

const text0 = (text: string): Uint8Array => bytesOf(`${text}\0`)

/** Unsigned 64 bits, big-endian, of a safe integer. */
export function encodeU64(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * U64_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [at, value] of values.entries()) view.setBigUint64(at * U64_BYTES, BigInt(value))
  return bytes
}

/** The number that `encodeU64` wrote at position `at`. */
export function decodeU64(bytes: Uint8Array, at = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Number(view.getBigUint64(at * U64_BYTES))
}

export const recordKey = (recHash: Uint8Array): Uint8Array => concat(FAMILY.record, recHash)

/** `digest`: SHA-256 in the record's CID. */
export const recordIdKey = (digest: Uint8Array): Uint8Array => concat(FAMILY.recordId, digest)

export const membershipKey = (recHash: Uint8Array, libraryId: string): Uint8Array =>
  concat(FAMILY.membership, recHash, bytesOf(libraryId))

/** Prefix of a record's memberships in all libraries. */
export const membershipPrefix = (recHash: Uint8Array): Uint8Array => concat(FAMILY.membership, recHash)

export interface NameIndexKey {
  name: string
  version: string
  owner: Uint8Array
  recHash: Uint8Array
}

export const nameIndexKey = (parts: NameIndexKey): Uint8Array =>
  concat(FAMILY.nameIndex, text0(parts.name), text0(parts.version), parts.owner, parts.recHash)

/** Prefix of all releases of a name; of one version; of one version of one owner. */
export function nameIndexPrefix(name: string, version?: string, owner?: Uint8Array): Uint8Array {
  const parts = [FAMILY.nameIndex, text0(name)]
  if (version !== undefined) parts.push(text0(version))
  if (owner !== undefined) parts.push(owner)
  return concat(...parts)
}

/** Undoes `nameIndexKey`; undefined when `key` is none. */
export function parseNameIndexKey(key: Uint8Array): NameIndexKey | undefined {
  const nameEnd = key.indexOf(0, FAMILY.nameIndex.byteLength)
  const versionEnd = nameEnd < 0 ? -1 : key.indexOf(0, nameEnd + 1)
  if (versionEnd < 0 || key.byteLength !== versionEnd + 1 + OWNER_BYTES + DIGEST_BYTES) return undefined
  return {
    name: textOf(key.subarray(FAMILY.nameIndex.byteLength, nameEnd)),
    version: textOf(key.subarray(nameEnd + 1, versionEnd)),
    owner: key.slice(versionEnd + 1, versionEnd + 1 + OWNER_BYTES),
    recHash: key.slice(versionEnd + 1 + OWNER_BYTES)
  }
}

export const libraryStateKey = (libraryId: string): Uint8Array =>
  concat(FAMILY.libraryState, bytesOf(libraryId))

export const ownerPinKey = (name: string): Uint8Array => concat(FAMILY.ownerPin, bytesOf(name))

export const announcementKey = (name: string): Uint8Array => concat(FAMILY.announcement, bytesOf(name))

/** Name in the key of an announcement or owner pin. */
export const parseAnnouncementKey = (key: Uint8Array): string =>
  textOf(key.subarray(FAMILY.announcement.byteLength))
