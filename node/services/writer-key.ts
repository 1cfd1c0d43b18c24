import { publicKeyFromRaw } from '@libp2p/crypto/keys'
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

function keyOf(peer: string): { type: string; raw: Uint8Array } | undefined {
  try {
    return peerIdFromString(peer).publicKey
  } catch {
    return undefined
  }
}

/** The peer id of a writer. */
export const peerOf = (writer: Uint8Array): string => peerIdFromPublicKey(publicKeyFromRaw(writer)).toString()
