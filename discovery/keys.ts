import { createHash } from 'node:crypto'

/**
 * Keys of the DHT: what is announced and asked for, 32 bytes each.
 *
 * A key is SHA-256 over a domain prefix and what it stands for, so a name, a piece of content, a library and a record never
 * share a key, and nobody can guess from a key what it is, short of guessing the thing itself. Where a key lies among the peers is
 * decided by hashing it once more (`kademliaId`), as kad-dht does with every key and every peer id.
 */
export const KEY_BYTES = 32

/** The domain of each kind of key. A contract with every other node: never change one, add another. */
const DOMAINS = {
  name: 'catalog/key/name/1',
  content: 'catalog/key/content/1',
  library: 'catalog/key/library/1',
  closed: 'catalog/key/closed/1',
  record: 'catalog/key/record/1'
} as const

/** What a key stands for. */
export type KeyKind = keyof typeof DOMAINS

const sha256 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256(domain, a zero byte, value). No domain holds a zero byte, so no two (kind, value) pairs hash the same bytes. */
const keyOf = (kind: KeyKind, value: Uint8Array): Uint8Array =>
  sha256(Buffer.from(`${DOMAINS[kind]}\0`, 'utf8'), value)

/** The key of a package name in its canonical form (`name` or `@scope/name`): holders of releases of that name. */
export const nameKey = (name: string): Uint8Array => keyOf('name', Buffer.from(name, 'utf8'))

/** The key of content, from the bytes of its CID: holders of these very bytes. */
export const contentKey = (cid: Uint8Array): Uint8Array => keyOf('content', cid)

/** The key of a library, from the bytes of its id: nodes that serve it whole. */
export const libraryKey = (libraryId: Uint8Array): Uint8Array => keyOf('library', libraryId)

/**
 * The key of a library that is not for everybody, from its secret and the bytes of its id, 32 bytes each: nodes that have it whole, for whoever
 * knows the secret. To all others it says nothing, and two of them cannot be told to be of one library.
 */
export const closedKey = (secret: Uint8Array, libraryId: Uint8Array): Uint8Array =>
  keyOf('closed', Buffer.concat([secret, libraryId]))

/** The key of a record, from the bytes of its CID: holders of this very record, for whoever knows only its id. */
export const recordKey = (id: Uint8Array): Uint8Array => keyOf('record', id)

/** Where a key, or the multihash of a peer id, lies in the key space: SHA-256 of it, as in kad-dht. */
export const kademliaId = (keyOrPeer: Uint8Array): Uint8Array => sha256(keyOrPeer)

/** A key as text, for maps, logs and `why`. */
export const keyText = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
