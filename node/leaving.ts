/** Peers that leave, and those that are not wanted. */
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { Control } from '../protocols/index.ts'
import type { Host } from './host/index.ts'
import type { PeerHealth } from './services/peer-health.ts'
import { Violations } from './services/violations.ts'

/**
 * Counts what peers do against the protocols. Who is denied for it is hung up on whenever it comes back, and so is who was
 * banned while its connection was being made.
 */
export function watchViolations(modules: {
  host: Host
  isBanned(peerId: string): boolean
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}): Violations {
  const { host, isBanned, log } = modules
  const hangUp = (peerId: PeerId): Promise<void> => host.libp2p.hangUp(peerId)
  const violations = new Violations({ ...modules, disconnect: hangUp })
  host.events.on('connected', ({ peerId }) => {
    if (!violations.isDenied(peerId) && !isBanned(peerId)) return
    hangUp(peerIdFromString(peerId)).catch(err =>
      log.warn({ err, peer: peerId }, 'a peer that is not wanted stays')
    )
  })
  return violations
}

/** A peer that leaves is asked for nothing more until it is met again; whoever keeps it dials it, but not soon. */
export function watchGoodbyes(modules: {
  control: Control
  health: PeerHealth
  discovery: Discovery
  host: Host
  log: Logger
}): void {
  const { control, health, discovery, host, log } = modules
  host.events.on('met', peerId => health.met(peerId))
  control.onGoodbye(peerId => {
    health.left(peerId.toString())
    discovery.peerLeft(peerId)
    host
      .left(peerId)
      .catch(error => log.debug({ err: error, peer: peerId.toString() }, 'a leaving peer stays'))
  })
}
