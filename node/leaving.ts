/** Peers that leave, and those that are not wanted. */
import { peerIdFromString } from '@libp2p/peer-id'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { CatalogError, Clock, Logger } from '../base/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { Control } from '../protocols/index.ts'
import { bannedError, type Host } from './host/index.ts'
import type { PeerHealth } from './services/peer-health.ts'
import { Violations } from './services/violations.ts'

interface Unwanted {
  readonly violations: Violations
  /** Why no connection to a peer is wanted now: it is banned, or broke the protocols again and again a while ago. */
  refusal(peerId: string): CatalogError | undefined
}

/** `host`: asked later, as it cannot be built without this. */
export function unwantedPeers(modules: {
  host(): Host
  isBanned(peerId: string): boolean
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}): Unwanted {
  const { host, isBanned } = modules
  const violations = new Violations({ ...modules, disconnect: peerId => host().libp2p.hangUp(peerId) })
  return {
    violations,
    refusal: peerId => (isBanned(peerId) ? bannedError(peerId) : violations.refusal(peerId))
  }
}

/** The gater refuses who is not wanted; one whose connection was just being made when it became so is hung up on. */
export function hangUpUnwanted(host: Host, refusal: Unwanted['refusal'], log: Logger): void {
  host.events.on('connected', ({ peerId }) => {
    if (refusal(peerId) === undefined) return
    host.libp2p
      .hangUp(peerIdFromString(peerId))
      .catch(err => log.warn({ err, peer: peerId }, 'a peer that is not wanted stays'))
  })
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
