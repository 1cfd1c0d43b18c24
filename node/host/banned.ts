import { CatalogError } from '../../base/index.ts'

/** Why nothing is asked of a peer. */
export function bannedError(peerId: string): CatalogError {
  return new CatalogError('PEER_BANNED', `${peerId} is banned on this node`, {
    hint: `to let it in again: catalog peers unban ${peerId}`,
    details: { peerId }
  })
}
