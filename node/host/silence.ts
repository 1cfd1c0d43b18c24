import type { Connection, Libp2p, PeerId, StreamCloseEvent } from '@libp2p/interface'
import { CatalogError } from '../../base/index.ts'
import { isConnectionTimedOut } from '../../protocols/index.ts'

/** A way on which nothing comes any more ends so too: no side has closed it, and its addresses are this machine's no longer. */
export const SILENT = { isSilent: true } as const

/**
 * Tells of peers whose last connection ended because nothing came any more: neither side has closed it, as one does that leaves, hangs
 * up or makes room. libp2p says of both the same, that the peer is disconnected. Comes a moment after that.
 */
export function watchSilence(libp2p: Libp2p, onSilent: (peerId: string) => void): void {
  const ended = async (connection: Connection, error: Error | undefined): Promise<void> => {
    const peer: PeerId = connection.remotePeer
    if (!(await isSilence(connection, error))) return
    if (libp2p.getConnections(peer).length === 0) onSilent(peer.toString())
  }
  libp2p.addEventListener('connection:open', ({ detail: connection }) =>
    connection.addEventListener('close', ({ error }: StreamCloseEvent) => void ended(connection, error), {
      once: true
    })
  )
}

async function isSilence(connection: Connection, error: Error | undefined): Promise<boolean> {
  // This side cut it, and says why.
  if (error instanceof CatalogError) return error.code === 'TIMEOUT' || error.details?.isSilent === true
  const isTimedOut = await isConnectionTimedOut(connection)
  // TCP's own: nothing came for its idle time-out.
  return isTimedOut ?? error?.name === 'TimeoutError'
}
