import type { Libp2p, Startable } from '@libp2p/interface'
import { isLoopback } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from '../../base/index.ts'
import { isLocalAddress } from '../../discovery/index.ts'
import { isRelayed } from './addresses.ts'

/** What a router shows beside the mapping. */
const DESCRIPTION = 'Catalog'

/**
 * Asks the router over UPnP to forward the ports on which this node listens. An address that results is announced once AutoNAT has found
 * that it works. Goes on until the signal ends. Never rejects, and a router that refuses or does not exist is no failure.
 */
export async function mapPorts(libp2p: Libp2p, log: Logger, signal: AbortSignal): Promise<void> {
  try {
    if (!ownListeners(libp2p).some(isBehindRouter)) return
    const { uPnPNAT } = await import('@libp2p/upnp-nat')
    const { components } = libp2p as unknown as { components: Parameters<ReturnType<typeof uPnPNAT>>[0] }
    const service = uPnPNAT({ portMappingDescription: DESCRIPTION })(components) as unknown as Startable
    if (signal.aborted) return
    await service.start()
    const stop = async (): Promise<void> => service.stop()
    signal.addEventListener('abort', () => {
      stop().catch(error => log.debug({ err: error }, 'a mapped port could not be given back'))
    })
  } catch (error) {
    log.info({ err: error }, 'the router cannot be asked to forward ports')
  }
}

const isBehindRouter = (address: Multiaddr): boolean =>
  isLocalAddress(address) && !isLoopback(address) && !isRelayed(address)

function ownListeners(libp2p: Libp2p): Multiaddr[] {
  const { components } = libp2p as unknown as {
    components: { transportManager: { getAddrs(): Multiaddr[] } }
  }
  return components.transportManager.getAddrs()
}
