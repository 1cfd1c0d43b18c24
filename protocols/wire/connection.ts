import type { AbortOptions, Connection, Libp2p, PeerId } from '@libp2p/interface'

/** What is needed of libp2p to find a connection. */
export type Connections = Pick<Libp2p, 'dial' | 'getConnections'>

/**
 * A connection to a peer for a stream: an open one, a direct before a relayed one, else a new one. (libp2p's own `dial` takes no notice
 * of relayed connections and opens another one each time.)
 */
export async function connectionTo(
  libp2p: Connections,
  peerId: PeerId,
  options: AbortOptions
): Promise<Connection> {
  return openConnection(libp2p, peerId) ?? (await libp2p.dial(peerId, options))
}

/** The connection that `connectionTo` would take, if there is one. */
export function openConnection(libp2p: Connections, peerId: PeerId): Connection | undefined {
  const open = libp2p.getConnections(peerId).filter(({ status }) => status === 'open')
  return open.find(({ limits }) => limits === undefined) ?? open[0]
}
