import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { type Clock, type Logger, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import { isRelayed, withPeer } from './addresses.ts'
import { DIAL_TIMEOUT_MS } from './options.ts'

/** How long a relayed connection may finish what it carries when there is a direct one. */
const RETIRE_CHECKS = 60

export interface DirectWayModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly log: Logger
  /** Ends with the host. */
  readonly signal: AbortSignal
  /** Name of the protocol whose stream stays open as long as its connection. */
  readonly idleProtocol: string
}

/**
 * Replaces relayed connections by direct ones. Who comes through a relay could not dial this node, but this node may be able to
 * dial the other: once the peer has told its addresses, they are dialled. The relayed connection is closed when its
 * transfers are done; new streams use the direct one.
 */
export function seekDirectWays(modules: DirectWayModules): void {
  modules.libp2p.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => {
    const { connection } = detail
    if (!isRelayed(connection.remoteAddr) || connection.direction !== 'inbound') return
    replace(modules, detail).catch(error =>
      modules.log.debug({ peer: detail.peerId.toString(), err: error }, 'no direct way to a relayed peer')
    )
  })
}

async function replace(
  modules: DirectWayModules,
  { connection, listenAddrs, peerId }: IdentifyResult
): Promise<void> {
  const { libp2p, log } = modules
  const direct = listenAddrs.filter(address => !isRelayed(address)).map(address => withPeer(address, peerId))
  if (direct.length === 0) return
  const signal = AbortSignal.any([modules.signal, timeoutSignal(DIAL_TIMEOUT_MS)])
  const found = await libp2p.dial(direct, { signal })
  if (isRelayed(found.remoteAddr)) return
  log.debug({ peer: peerId.toString() }, 'a direct connection replaces a relayed one')
  await retire(modules, connection)
}

async function retire({ clock, signal, idleProtocol }: DirectWayModules, relayed: Connection): Promise<void> {
  for (let check = 0; check < RETIRE_CHECKS; check++) {
    await clock.wait(SECOND_MS, signal)
    if (relayed.streams.every(({ protocol }) => protocol === idleProtocol)) break
  }
  await relayed.close({ signal })
}
