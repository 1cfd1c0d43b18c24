/** The throttle of a node, made from its configuration. */
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { isLocalAddress } from '../discovery/index.ts'
import {
  createThrottle,
  type DownloadBudget,
  parseClassRate,
  parseWindow,
  type Throttle,
  type ThrottleOptions
} from '../protocols/index.ts'
import type { Host } from './host/index.ts'

export interface ThrottlingModules {
  host: Pick<Host, 'libp2p'>
  clock: Clock
  metrics: MetricsRegistry
  /** Share of a peer beside others in what is sent. */
  weightOf(peerId: string): number
}

/** INVALID_ARGUMENT for a window or class rate that is below the least rate. */
export function throttleOf(
  { host, clock, metrics, weightOf }: ThrottlingModules,
  limits: Config['limits']
): Throttle {
  return createThrottle(
    {
      clock,
      metrics,
      weightOf,
      // A peer that is also connected from a public address is a public one.
      // Asked for each piece, for which making a peer id of the text would cost more than looking at all connections.
      isPrivate: peerId =>
        host.libp2p
          .getConnections()
          .every(
            ({ remotePeer, remoteAddr }) => remotePeer.toString() !== peerId || isLocalAddress(remoteAddr)
          )
    },
    throttleOptions(limits)
  )
}

/** As the throttle takes them; INVALID_ARGUMENT as above. */
export function throttleOptions(limits: Config['limits']): ThrottleOptions {
  return {
    total: { up: limits.up, down: limits.down },
    perPeer: { up: limits.perPeerUp, down: limits.perPeerDown },
    windows: limits.windows.map(parseWindow),
    classes: limits.classes.map(parseClassRate),
    burst: limits.burst,
    isPrivateLimited: limits.private
  }
}

/** What a fetch asks before each of its requests leaves. */
export const downloadBudget = ({ download }: Throttle): DownloadBudget => ({
  take: (peerId, priority, bytes, signal) => download.take(peerId.toString(), priority, bytes, signal)
})
