import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { CatalogError } from '../../base/index.ts'

/** The public key of the node with a peer id, which is the writer of its libraries. INVALID_ARGUMENT. */
export function writerOf(peer: string): Uint8Array {
  const key = keyOf(peer)
  if (key?.type === 'Ed25519') return key.raw
  throw new CatalogError('INVALID_ARGUMENT', `'${peer}' is not the peer id of a node`, {
    hint: '`catalog id` on that node prints it'
  })
}

/** The public key by which access lists name a peer; nobody's for a peer with a key of another kind, which no node has. */
export const nodeKeyOf = ({ publicKey }: PeerId): Uint8Array =>
  publicKey?.type === 'Ed25519' ? publicKey.raw : new Uint8Array()

function keyOf(peer: string): { type: string; raw: Uint8Array } | undefined {
  try {
    return peerIdFromString(peer).publicKey
  } catch {
    return undefined
  }
}

/** The peer id of a writer. */
export const peerOf = (writer: Uint8Array): string => peerIdFromPublicKey(publicKeyFromRaw(writer)).toString()
