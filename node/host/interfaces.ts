import { networkInterfaces } from 'node:os'
import type { Libp2p } from '@libp2p/interface'
import { CatalogError, type Clock, type Logger, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import { SILENT } from './silence.ts'
import type { HostServices } from './types.ts'

/** How often the machine's addresses are looked at: no event tells of a change. A look costs 0.1 ms. */
const LOOK_EVERY_MS = 3 * SECOND_MS
/** A peer that does not answer within this time after a change is taken for lost; QUIC itself would wait for 10 s. */
const ANSWER_MS = 2 * SECOND_MS

/** Addresses of the machine's interfaces, without loopback. */
export const machineAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .sort()

export interface InterfaceModules {
  readonly clock: Clock
  /** The addresses now, in a stable order. */
  list(): readonly string[]
  /** Addresses are gone or new ones have come. */
  onChange(change: { gone: string[]; come: string[] }): void
}

/** Looks until the signal ends. Never rejects. */
export async function watchInterfaces(
  { clock, list, onChange }: InterfaceModules,
  signal: AbortSignal
): Promise<void> {
  let before = list()
  for (;;) {
    await clock.wait(LOOK_EVERY_MS, signal).catch(() => {})
    if (signal.aborted) return
    const now = list()
    const gone = before.filter(address => !now.includes(address))
    const come = now.filter(address => !before.includes(address))
    before = now
    if (gone.length > 0 || come.length > 0) onChange({ gone, come })
  }
}

/**
 * Closes the connections of peers that do not answer any more, so that they are dialled anew over the way there is now, and tells
 * those that do answer of this node's new addresses. Never rejects.
 */
export async function checkPeers(
  libp2p: Libp2p<HostServices>,
  log: Logger,
  signal: AbortSignal
): Promise<void> {
  updateOwnAddresses(libp2p)
  // With the code of a lost connection: what was under way is worth another try, which an unknown error is not.
  const lost = new CatalogError(
    'STREAM_TRUNCATED',
    'the addresses of this machine have changed, and the peer does not answer',
    { details: SILENT }
  )
  await Promise.all(
    libp2p.getPeers().map(async peer => {
      try {
        await libp2p.services.ping.ping(peer, {
          signal: AbortSignal.any([signal, timeoutSignal(ANSWER_MS)])
        })
      } catch (error) {
        if (signal.aborted) return
        log.debug({ peer: peer.toString(), err: error }, 'a peer does not answer after a change of address')
        for (const connection of libp2p.getConnections(peer)) connection.abort(lost)
      }
    })
  )
}

/** libp2p 3.3.11 looks at its own addresses again only when a listener opens or closes (src/address-manager/index.ts). */
function updateOwnAddresses(libp2p: Libp2p): void {
  const { components } = libp2p as unknown as {
    components: { addressManager: { _updatePeerStoreAddresses?(): void } }
  }
  components.addressManager._updatePeerStoreAddresses?.()
}
