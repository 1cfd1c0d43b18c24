import { CatalogError } from '../../../base/index.ts'
import { keyText } from '../../../discovery/index.ts'
import type { Network } from '../../../node/services/network.ts'

/** What a network with holders of libraries is made of, and what it was asked. */
export interface HolderWorld {
  /** Peer ids, by key as text. */
  readonly holders: ReadonlyMap<string, readonly string[]>
  readonly online: readonly string[]
  readonly searched: string[]
  readonly dialled: string[]
}

export const holderNetwork = ({
  holders,
  online,
  searched,
  dialled
}: HolderWorld): Pick<Network, 'libraryHolders' | 'dial'> => ({
  async *libraryHolders(key) {
    searched.push(keyText(key))
    const found = holders.get(keyText(key))
    if (found === undefined) throw new CatalogError('NO_PROVIDERS', 'nobody announces it')
    for (const peerId of found) yield { peerId, source: 'dht', ageMs: 0 }
  },
  dial: async peerId => {
    dialled.push(peerId)
    if (!online.includes(peerId)) throw new CatalogError('DIAL_FAILED', 'away')
    return peerId
  }
})
