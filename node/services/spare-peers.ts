import type { ErrorCode } from '../../base/index.ts'
import { withOutcomes } from './fetch-outcomes.ts'
import type { ContentWatch, Network } from './network.ts'
import type { PeerHealth } from './peer-health.ts'

/** A new connection would not help, or is not wanted. */
const FOR_GOOD: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(['PEER_LEFT', 'PEER_BANNED'])

/**
 * The same network without the peers that keep failing, which notes how those that are asked behave. A source that a user
 * names is asked on the network itself, whatever its record. Who failed is looked for all the same: a connection that comes of it
 * ends the rest that the peer is given.
 */
export function sparePeers(network: Network, health: PeerHealth): Network {
  const noted = withOutcomes(network, (peerId, _, error) => health.note(peerId, error))
  return {
    ...network,
    releases: (wanted, peerId, signal) => health.ask(peerId, () => network.releases(wanted, peerId, signal)),
    record: (id, peerId, signal) => health.ask(peerId, () => network.record(id, peerId, signal)),
    reconnect: (peerIds, signal) =>
      network.reconnect(
        peerIds.filter(peerId => !FOR_GOOD.has(health.refusal(peerId)?.code)),
        signal
      ),
    async fetchContent(record, peerIds, watch, signal) {
      const [first] = peerIds
      const usable = peerIds.filter(peerId => health.refusal(peerId) === undefined)
      const refusal = first !== undefined && usable.length === 0 ? health.refusal(first) : undefined
      if (refusal !== undefined) throw refusal
      const { moreSources } = watch
      const spared: ContentWatch = {
        ...watch,
        ...(moreSources && { moreSources: ended => usableOf(moreSources(ended), health) })
      }
      return await noted.fetchContent(record, usable, spared, signal)
    }
  }
}

async function* usableOf(peerIds: AsyncIterable<string>, health: PeerHealth): AsyncGenerator<string> {
  for await (const peerId of peerIds) if (health.refusal(peerId) === undefined) yield peerId
}
