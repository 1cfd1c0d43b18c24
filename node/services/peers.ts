import type { ConnectedPeer, Host } from '../host/index.ts'
import type { PeerShape } from '../schemas.ts'
import type { PeerService } from './types.ts'

/** Connections, as the operator sees and changes them. */
export function createPeers(modules: { host: Host; rttMs(peerId: string): number | undefined }): PeerService {
  const { host } = modules
  const shapeOf = ({ peerId, addresses, direction, rttMs }: ConnectedPeer): PeerShape => ({
    peerId,
    addresses: [...addresses],
    direction,
    rttMs: rttMs ?? modules.rttMs(peerId) ?? null,
    // Scores and limits of single peers are not there yet; the fields are, for programs that read them.
    score: null,
    limits: {}
  })
  return {
    list: () => host.peers().map(shapeOf),
    connect: async (address, signal) => shapeOf(await host.connect(address, signal)),
    disconnect: peerId => host.disconnect(peerId)
  }
}
