/** What makes a node fair to its peers: its ledger, put together with what tells it, and receipts. */
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Database, Registry } from '../library/index.ts'
import type { Control } from '../protocols/index.ts'
import type { LibrarySets } from '../sync/index.ts'
import type { NodeKey } from '../trust/index.ts'
import type { Host } from './host/index.ts'
import { networkOfPeer } from './peer-network.ts'
import { PeerLedger } from './services/peer-ledger.ts'
import { Receipts } from './services/receipts.ts'
import type { Violations } from './services/violations.ts'
import type { Shutdown } from './shutdown.ts'

export interface FairnessModules {
  host: Pick<Host, 'libp2p'>
  control: Control
  nodeKey: NodeKey
  library: { database: Database; registry: Registry }
  sets: LibrarySets
  violations: Violations
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
}

/** Opens the ledger and has it told what is measured; it is kept until everything above it has stopped. */
export async function fairnessOf(
  modules: FairnessModules,
  incentives: Config['incentives'],
  shutdown: Shutdown
): Promise<PeerLedger> {
  const { host, library, nodeKey, violations } = modules
  const ledger = await PeerLedger.open(
    { ...modules, ...library, networkOf: peerId => networkOfPeer(host, peerId) },
    { halfLifeMs: incentives.halfLife, isWeighing: incentives.enabled }
  )
  violations.onReported(peerId => ledger.violated(peerId))
  if (incentives.enabled) {
    const receipts = new Receipts({
      ...modules,
      ledger,
      key: nodeKey.key,
      connected: () => host.libp2p.getPeers(),
      onViolation: violations.of('receipts')
    })
    ledger.eachMinute(signal => receipts.exchange(signal))
  }
  ledger.start()
  shutdown.leave('ledger', () => ledger.stop())
  return ledger
}
