import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import { quicTransport } from '../../../protocols/index.ts'

/** libp2p nodes over QUIC on loopback, closed together. */
export async function withNodes<T>(count: number, run: (nodes: Libp2p[]) => Promise<T>): Promise<T> {
  const nodes = await Promise.all(Array.from({ length: count }, () => createNode()))
  try {
    return await run(nodes)
  } finally {
    await Promise.all(nodes.map(node => node.stop()))
  }
}

/** One started node that listens on a free port of loopback and dials nobody on its own; with a new key unless one is given. */
export async function createNode(privateKey?: PrivateKey): Promise<Libp2p> {
  const node = await createLibp2p({
    ...(privateKey !== undefined && { privateKey }),
    addresses: { listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] },
    transports: [quicTransport()],
    connectionMonitor: { enabled: false },
    // All come from one address, and at once.
    connectionManager: { inboundConnectionThreshold: 100 }
  })
  return node
}

/** Makes `from` know where `to` listens, without connecting. */
export async function introduce(from: Libp2p, to: Libp2p): Promise<PeerId> {
  await from.peerStore.merge(to.peerId, { multiaddrs: to.getMultiaddrs() })
  return to.peerId
}
