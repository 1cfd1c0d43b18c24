import type { CatalogError } from '../../base/index.ts'
import type { ContentWatch, Network } from './network.ts'
import type { PeerHealth } from './peer-health.ts'

/**
 * The same network without the peers that keep failing, which notes how those that are asked behave. A source that a user
 * names is asked on the network itself, whatever its record. Who failed is looked for all the same: a connection that comes of it
 * ends the rest that the peer is given.
 */
export function sparePeers(network: Network, health: PeerHealth): Network {
  return {
    ...network,
    releases: (wanted, peerId, signal) => health.ask(peerId, () => network.releases(wanted, peerId, signal)),
    record: (id, peerId, signal) => health.ask(peerId, () => network.record(id, peerId, signal)),
    reconnect: (peerIds, signal) =>
      network.reconnect(
        peerIds.filter(peerId => health.refusal(peerId)?.code !== 'PEER_LEFT'),
        signal
      ),
    async fetchContent(record, peerIds, watch, signal) {
      const [first] = peerIds
      const usable = peerIds.filter(peerId => health.refusal(peerId) === undefined)
      const refusal = first !== undefined && usable.length === 0 ? health.refusal(first) : undefined
      if (refusal !== undefined) throw refusal
      const failed = new Map<string, CatalogError>()
      const onSourceFailed = (peerId: string, error: CatalogError): void => {
        failed.set(peerId, error)
        watch.onSourceFailed(peerId, error)
      }
      const { moreSources } = watch
      const spared: ContentWatch = {
        ...watch,
        onSourceFailed,
        ...(moreSources && { moreSources: ended => usableOf(moreSources(ended), health) })
      }
      try {
        const fetched = await network.fetchContent(record, usable, spared, signal)
        // Who brought something in the end is well, whatever happened on the way.
        for (const { peerId, bytes } of fetched.sources) if (bytes > 0) failed.delete(peerId)
        for (const { peerId } of fetched.sources)
          if (!failed.has(peerId)) await health.note(peerId, undefined)
        return fetched
      } finally {
        for (const [peerId, error] of failed) await health.note(peerId, error)
      }
    }
  }
}

async function* usableOf(peerIds: AsyncIterable<string>, health: PeerHealth): AsyncGenerator<string> {
  for await (const peerId of peerIds) if (health.refusal(peerId) === undefined) yield peerId
}
