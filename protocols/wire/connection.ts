import type { AbortOptions, Connection, Libp2p, PeerId } from '@libp2p/interface'

/** What is needed of libp2p to find a connection. */
export type Connections = Pick<Libp2p, 'dial' | 'getConnections' | 'addEventListener' | 'removeEventListener'>

/**
 * A connection to a peer for a stream: an open one, a direct before a relayed one, else the first that comes, whichever side dials: a
 * peer that has moved is at none of the addresses known here, and each of those costs its time-out. (libp2p's own `dial` takes no
 * notice of relayed connections and opens another one each time.)
 */
export async function connectionTo(
  libp2p: Connections,
  peerId: PeerId,
  options: AbortOptions
): Promise<Connection> {
  return openConnection(libp2p, peerId) ?? (await firstToCome(libp2p, peerId, options))
}

async function firstToCome(
  libp2p: Connections,
  peerId: PeerId,
  { signal }: AbortOptions
): Promise<Connection> {
  const came = Promise.withResolvers<Connection>()
  const onOpen = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.direction === 'inbound' && detail.remotePeer.equals(peerId)) came.resolve(detail)
  }
  const over = new AbortController()
  const signals = signal === undefined ? [over.signal] : [over.signal, signal]
  libp2p.addEventListener('connection:open', onOpen)
  try {
    return await Promise.race([libp2p.dial(peerId, { signal: AbortSignal.any(signals) }), came.promise])
  } finally {
    libp2p.removeEventListener('connection:open', onOpen)
    over.abort()
  }
}

/**
 * The connection that `connectionTo` would take, if there is one. The newest: of two, the older one may be what a peer that moved or
 * started again left behind.
 */
export function openConnection(
  libp2p: Pick<Libp2p, 'getConnections'>,
  peerId: PeerId
): Connection | undefined {
  const open = libp2p.getConnections(peerId).filter(({ status }) => status === 'open')
  return open.findLast(({ limits }) => limits === undefined) ?? open.at(-1)
}
