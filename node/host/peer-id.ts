import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CatalogError } from '../../base/index.ts'

/** A peer id may be written as a CID too; the text of what comes of it is the one form in which connections name it. INVALID_ARGUMENT. */
export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', `'${text}' is not a peer id`, {
      hint: '`catalog peers list` shows the ids of connected peers',
      cause
    })
  }
}
