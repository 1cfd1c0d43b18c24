import type { CatalogError } from '../../base/index.ts'
import type { ReleaseRecord } from '../../library/index.ts'
import type { Network } from './network.ts'

/** How a transfer went for one of its sources: it failed, or brought something and did not. */
export type OnOutcome = (
  peerId: string,
  record: ReleaseRecord,
  error: CatalogError | undefined
) => void | Promise<void>

/** The same network, which tells how each source of a transfer did, once for each. Who brought something in the end did well, whatever happened on the way. */
export function withOutcomes(network: Network, onOutcome: OnOutcome): Network {
  return {
    ...network,
    async fetchContent(record, peerIds, watch, signal) {
      const failed = new Map<string, CatalogError>()
      const onSourceFailed = (peerId: string, error: CatalogError): void => {
        failed.set(peerId, error)
        watch.onSourceFailed(peerId, error)
      }
      try {
        const fetched = await network.fetchContent(record, peerIds, { ...watch, onSourceFailed }, signal)
        for (const { peerId, bytes } of fetched.sources) if (bytes > 0) failed.delete(peerId)
        for (const { peerId } of fetched.sources)
          if (!failed.has(peerId)) await onOutcome(peerId, record, undefined)
        return fetched
      } finally {
        for (const [peerId, error] of failed) await onOutcome(peerId, record, error)
      }
    }
  }
}
