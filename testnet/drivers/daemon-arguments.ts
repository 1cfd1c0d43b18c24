/** What the daemon of a node is told, whichever driver starts it. */
import type { NodePlan } from '../network/plan.ts'
import type { RunningNode } from './driver.ts'

const PORT = 4747
/** The same in containers, whose file for Compose names another: hostile peers (`test/daemon/support`) speak the protocols of this one. */
const NETWORK_ID = 'main'

/** Where a daemon listens at an address of its own. */
export const listenAddress = (ip: string): string => `/ip4/${ip}/udp/${PORT}/quic-v1`

/** Behind `catalog daemon --json`, but for the home. `nodeOf` gives the others. */
export function daemonArguments(
  { after, follows, region, settings }: NodePlan,
  nodeOf: (name: string) => Pick<RunningNode, 'address' | 'peerId'>
): string[] {
  const all: Record<string, string> = {
    'network.id': NETWORK_ID,
    'network.listen': listenAddress('0.0.0.0'),
    'topology.region': region,
    ...(after.length > 0 && { 'network.bootstrap': after.map(name => nodeOf(name).address).join(',') }),
    ...(follows.length > 0 && { 'sync.follow': follows.map(name => nodeOf(name).peerId).join(',') }),
    ...settings
  }
  return ['--no-mdns', ...Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`])]
}
