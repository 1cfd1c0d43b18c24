import { CatalogError } from '../base/index.ts'
import { SEED_BYTES } from './ed25519.ts'
import { readPrivateFile, writePrivateFile } from './files.ts'
import { bytesEqual } from './hash.ts'
import { SigningKey } from './keys.ts'

/**
 * `node.key` holds libp2p's own form of an Ed25519 private key: a protobuf of type (1 = Ed25519) and data (seed, then
 * public key), 68 bytes. Any libp2p tool reads it; here it needs no protobuf library, since every byte but the 64 is fixed.
 */
const PROTOBUF_PREFIX = Uint8Array.of(0x08, 0x01, 0x12, 0x40)
const NODE_KEY_BYTES = PROTOBUF_PREFIX.byteLength + 2 * SEED_BYTES

/** `catalog init` leaves a home that exists alone, so it cannot help here. */
const RESTORE_HINT = 'restore it from a backup; a new home made by `catalog init` has another peer id'

export interface NodeKey {
  /** Signs heads, provider records, challenges. Its public key is the peer id. */
  readonly key: SigningKey
  /** For libp2p's `privateKeyFromProtobuf`. */
  readonly protobuf: Uint8Array
}

/** A key in the form of `node.key`. */
export function nodeKeyOf(key: SigningKey): NodeKey {
  const protobuf = Uint8Array.from([...PROTOBUF_PREFIX, ...key.exportSeed(), ...key.publicKey])
  return { key, protobuf }
}

/** Makes a new node key and writes it to `path` (0600, durable). Throws KEY_EXISTS: it never overwrites. */
export async function createNodeKey(path: string): Promise<NodeKey> {
  const made = nodeKeyOf(SigningKey.generate())
  if (!(await writePrivateFile(path, made.protobuf, { replace: false }))) {
    throw new CatalogError('KEY_EXISTS', `there is already a node key at ${path}`)
  }
  return made
}

/** Reads `node.key`. Throws KEY_NOT_FOUND, HOME_PERMISSIONS or KEY_INVALID. */
export async function loadNodeKey(path: string): Promise<NodeKey> {
  const bytes = await readPrivateFile(path, NODE_KEY_BYTES)
  if (bytes === undefined) {
    throw new CatalogError('KEY_NOT_FOUND', `there is no node key at ${path}`, {
      hint: RESTORE_HINT
    })
  }
  const seedEnd = PROTOBUF_PREFIX.byteLength + SEED_BYTES
  const prefix = bytes.subarray(0, PROTOBUF_PREFIX.byteLength)
  if (bytes.byteLength !== NODE_KEY_BYTES || !bytesEqual(prefix, PROTOBUF_PREFIX)) throw damaged(path)
  const key = SigningKey.fromSeed(bytes.subarray(PROTOBUF_PREFIX.byteLength, seedEnd))
  if (!bytesEqual(key.publicKey, bytes.subarray(seedEnd))) throw damaged(path)
  return { key, protobuf: bytes }
}

function damaged(path: string): CatalogError {
  return new CatalogError('KEY_INVALID', `${path} is not a libp2p Ed25519 key file`, {
    hint: RESTORE_HINT
  })
}
