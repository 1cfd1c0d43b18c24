/**
 * Every key family of the node's LevelDB, in one place so that two parts can never meet in one key, with the builders and
 * parsers of the keys of records. A key is the ASCII bytes of its family, then the parts named beside it; docs/disk-format.md
 * describes the values. Text parts inside a key end with a zero byte, which no name or version can contain, so that no part
 * runs into the next. Numbers are big-endian.
 */
const DIGEST_BYTES = 32
const OWNER_BYTES = 32
export const U64_BYTES = 8

export const KeyFamily = {
  /** Committed tail of the segments: the key is this byte alone. */
  Tail: 'T',
  /** `c/` + block id (32 bytes): where a block stands in the segments. */
  Block: 'c/',
  /** A block was given up and contents have yet to be checked for it: the key is this byte alone, the value empty. */
  Damage: 'x',
  /** `b/` + segment number (4): what is known of the segment in the bucket (content/bucket-rows.ts). */
  BucketSegment: 'b/',
  /** `f/` + content CID bytes: every block of this content was verified and stored. */
  Complete: 'f/',
  /** `u/` + content CID bytes: the content is kept; when it was last used (8), in ms. */
  Held: 'u/',
  /** `p/` + content CID bytes, name 0 version 0 owner (32): empty; the content is pinned for that release. */
  ContentPin: 'p/',
  /** `mc/` + content CID bytes: the content is kept for others, or wanted for that, in JSON (node/services/mirroring/copies.ts). */
  MirrorCopy: 'mc/',
  /** This node is about to leave for good: the key is these bytes alone, the value JSON (node/services/mirroring/draining.ts). */
  MirrorDrain: 'mg',
  /** Where the check of everything at rest stands: the key is this byte alone, the value JSON (node/services/scrubbing.ts). */
  Scrub: 'v',
  /** `r/` + recHash: a record's exact signed bytes. */
  Record: 'r/',
  /** `i/` + SHA-256 of a record's bytes (the digest in its CID): its recHash. */
  RecordId: 'i/',
  /** `m/` + recHash + library id: empty; the record is a member of that library. */
  Membership: 'm/',
  /** `k/` + name 0 version 0 owner (32) recHash: sequence (8) and the content's CID. */
  NameIndex: 'k/',
  /** `rt/` + name 0 version 0 owner (32): CID of the content that a library of this node had under that version and let go of (registry/taken.ts). */
  TakenVersion: 'rt/',
  /** `y/` + release key (32): recHash of the owner's status of that release. */
  Status: 'y/',
  /** `w/` + release key (32), signer (32), word: recHash of that signer's attestation. */
  Attestation: 'w/',
  /** `s/` + library id: revision (8), number of releases (8); of a copy also bytes of its records (8). */
  LibraryState: 's/',
  /** `t/` + library id: where its tree stands (sync/trie/rows.ts). */
  Tree: 't/',
  /** `n/` + library id 0 generation (4) path: a node of the tree of that library. */
  TreeNode: 'n/',
  /** `z/` + library id 0 generation (4) trieKey: recHash; only while a tree is built anew. */
  TreeSort: 'z/',
  /** `h/` + id of a library (32), writer (32): the last head of that writer (sync/heads/rows.ts). */
  Head: 'h/',
  /** `hp/` + id of a library (32): where this home stood when it last signed a head for it. */
  HeadPlace: 'hp/',
  /** `e/` + id of a library (32), writer (32), epoch (8), revision (8): two heads that contradict each other. */
  HeadEvidence: 'e/',
  /** `l/` + id of a library (32), revision (8): what that head of this node changed (sync/heads/change-log.ts). */
  ChangeLog: 'l/',
  /** `fl/` + id of a library (32): the copies of it that are here (sync/follow/rows.ts). */
  Followed: 'fl/',
  /** `al/` + id of a library (32), writer (32): how new the last access list was that was taken of that closed one (sync/follow/remembered.ts). */
  ListTaken: 'al/',
  /** `li/` + id of a library (32): one of this node's own that its operator made (sync/access/own-libraries.ts). */
  OwnLibrary: 'li/',
  /** `ld/` + id of a library (32): one of them that was deleted, while something of it is left (sync/access/deletion.ts). */
  DeletedLibrary: 'ld/',
  /** `g/` + name: the nodes of a group (sync/access/groups.ts). */
  Group: 'g/',
  /** `o/` + name: owner pinned under that name (32). */
  OwnerPin: 'o/',
  /** `cs/` + @scope or name: how conflicts about it are looked at here, as text. */
  ConflictStrategy: 'cs/',
  /** `bl/` + an owner, a name with or without a range, or a CID, as text: what is kept away from this node, in JSON (node/services/blocking.ts). */
  Blocked: 'bl/',
  /** `a/` + name: announcement schedule, next due (8) and added (8), both in ms. */
  Announcement: 'a/',
  /** `j/` + id of a record, as text: a fetch that was asked for and has not ended, in JSON. */
  FetchJob: 'j/',
  /** `q/` + id, as text: an operation that waits for somebody to be reached, in JSON (node/services/operation-queue.ts). */
  Queue: 'q/',
  /** When this home was last backed up whole: the key is these bytes alone, the value JSON (node/backup/last-backup.ts). */
  LastBackup: 'lb',
  /** `pl/` + peer id, as text: the limits that the operator set for that peer, in JSON. */
  PeerLimit: 'pl/',
  /** `pe/` + peer id, as text: what was given to that peer and taken from it (ledger/rows.ts). */
  PeerAccount: 'pe/',
  /** `pb/` + peer id, as text: the operator has banned that peer, in JSON (node/services/peer-bans.ts). */
  PeerBan: 'pb/',
  /** `mb/` + public key of a node (32): its member record (node/services/mirroring/known-members.ts). */
  Member: 'mb/',
  /** This node has left the members for good, until it is told to come back: the key is these bytes alone, the value when (8), in ms. */
  MemberLeft: 'ml',
  /** What was served, as counts of demand (mirror/demand/stored.ts): the key is these bytes alone. */
  DemandCounts: 'md',
  /** `dc/` + group (1), distance of a key (32), provider: a claim to hold what the key stands for (discovery/providers/rows.ts). */
  ProviderClaim: 'dc/',
  /** `dp/` + provider: its signed addresses and number of claims. */
  Provider: 'dp/',
  /** `dw/` + prefix of an address: number of claims and providers of that network. */
  ProviderNetwork: 'dw/',
  /** `dt/`: number of claims and providers. */
  ProviderTotals: 'dt/',
  /** `ds/` + slot (1): when that part of the key space was last announced, and how far a pass has come. */
  AnnounceSlot: 'ds/',
  /** `dn/` + key (32): empty; a key that has yet to be announced. */
  AnnouncePending: 'dn/'
} as const
export type KeyFamily = (typeof KeyFamily)[keyof typeof KeyFamily]

/** The key of a family: its ASCII prefix, then the parts joined. */
export function makeKey(family: string, ...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(family, 'latin1'), ...parts])
}

/** The smallest key after all keys with this prefix; undefined when the prefix is empty or all 0xff. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.byteLength
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = Uint8Array.from(prefix.subarray(0, length))
  end[length - 1]! += 1
  return end
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
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

export const recordKey = (recHash: Uint8Array): Uint8Array => makeKey(KeyFamily.Record, recHash)

/** `digest`: SHA-256 in the record's CID. */
export const recordIdKey = (digest: Uint8Array): Uint8Array => makeKey(KeyFamily.RecordId, digest)

export const membershipKey = (recHash: Uint8Array, libraryId: string): Uint8Array =>
  makeKey(KeyFamily.Membership, recHash, bytesOf(libraryId))

/** Prefix of a record's memberships in all libraries. */
export const membershipPrefix = (recHash: Uint8Array): Uint8Array => makeKey(KeyFamily.Membership, recHash)

export interface NameIndexKey {
  name: string
  version: string
  owner: Uint8Array
  recHash: Uint8Array
}

export const nameIndexKey = (parts: NameIndexKey): Uint8Array =>
  makeKey(KeyFamily.NameIndex, text0(parts.name), text0(parts.version), parts.owner, parts.recHash)

export const takenVersionKey = ({ name, version, owner }: Omit<NameIndexKey, 'recHash'>): Uint8Array =>
  makeKey(KeyFamily.TakenVersion, text0(name), text0(version), owner)

/** Prefix of all releases of a name; of one version; of one version of one owner. */
export function nameIndexPrefix(name: string, version?: string, owner?: Uint8Array): Uint8Array {
  const parts = [text0(name)]
  if (version !== undefined) parts.push(text0(version))
  if (owner !== undefined) parts.push(owner)
  return makeKey(KeyFamily.NameIndex, ...parts)
}

/** Undoes `nameIndexKey`; undefined when `key` is none. */
export function parseNameIndexKey(key: Uint8Array): NameIndexKey | undefined {
  const release = parseRelease(key.subarray(KeyFamily.NameIndex.length, -DIGEST_BYTES))
  return release && { ...release, recHash: key.slice(-DIGEST_BYTES) }
}

/** Name, version and owner, as keys have them; undefined for other bytes. */
export function parseRelease(bytes: Uint8Array): Omit<NameIndexKey, 'recHash'> | undefined {
  const nameEnd = bytes.indexOf(0)
  const versionEnd = nameEnd < 0 ? -1 : bytes.indexOf(0, nameEnd + 1)
  if (versionEnd < 0 || bytes.byteLength !== versionEnd + 1 + OWNER_BYTES) return undefined
  return {
    name: textOf(bytes.subarray(0, nameEnd)),
    version: textOf(bytes.subarray(nameEnd + 1, versionEnd)),
    owner: bytes.slice(versionEnd + 1)
  }
}

/** `release`: `releaseKey` of the release, here and below. */
export const statusKey = (release: Uint8Array): Uint8Array => makeKey(KeyFamily.Status, release)

export const attestationKey = (release: Uint8Array, signer: Uint8Array, statement: string): Uint8Array =>
  makeKey(KeyFamily.Attestation, release, signer, bytesOf(statement))

/** Of all attestations of a release, or of those of one signer. */
export const attestationPrefix = (release: Uint8Array, signer?: Uint8Array): Uint8Array =>
  makeKey(KeyFamily.Attestation, release, signer ?? new Uint8Array())

export const libraryStateKey = (libraryId: string): Uint8Array =>
  makeKey(KeyFamily.LibraryState, bytesOf(libraryId))

export const ownerPinKey = (name: string): Uint8Array => makeKey(KeyFamily.OwnerPin, bytesOf(name))

/** `mc/` + content CID. */
export const mirrorCopyKey = (content: Uint8Array): Uint8Array => makeKey(KeyFamily.MirrorCopy, content)

export const announcementKey = (name: string): Uint8Array => makeKey(KeyFamily.Announcement, bytesOf(name))

/** Name in the key of an announcement or owner pin. */
export const parseAnnouncementKey = (key: Uint8Array): string =>
  textOf(key.subarray(KeyFamily.Announcement.length))
