import { displaySize, plural } from '../../base/index.ts'
import { DISK_HEADROOM_BYTES, type Holdings } from '../../library/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
import type { Reachability } from '../host/index.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { OperationManager } from '../operations.ts'
import type { PartitionShape } from '../partition-schemas.ts'
import type { AlertShape, AnomalyShape, Identity, Status, TunedShape } from '../schemas.ts'
import { LOW_DISK_BYTES } from './machine-checks.ts'
import type { SkippedPeer } from './peer-health.ts'
import type { StatusService } from './types.ts'

/** Above so many operations at once the node is degraded. */
const DEGRADED_OPERATIONS = 1000
/** A store this full soon refuses what is fetched. */
const NEARLY_FULL = 0.95
/** What one reason takes off the score. */
const REASON_WEIGHT = 0.25

/** What the status reads; closures, so that it holds no part of the node. */
export interface StatusModules {
  lifecycle: Lifecycle
  operations: OperationManager
  peerId(): string
  publicKey: Uint8Array
  addresses(): string[]
  peers(): number
  partition(): PartitionShape
  reachability(): Reachability
  library(): { revision: number; releases: number }
  /** Root of the home library, in hexadecimal digits; null when its tree cannot be read. */
  root(): Promise<string | null>
  store(): { bytes: number; chunks: number }
  holdings(): Promise<Holdings>
  /** The last check of everything in the store. */
  scrub(): { endedAt: string; corrupt: number } | undefined
  alerts(): AlertShape[]
  anomalies(): AnomalyShape[]
  tuned(): TunedShape[]
  uptimeMs(): number
  /** Memory of the process. */
  rssBytes(): number
  /** Bytes that this user may still write where the store is. */
  freeBytes(): Promise<number>
  queues(): Record<string, number>
  /** Peers that failed repeatedly and are left alone. */
  skipped(): readonly SkippedPeer[]
  rates(): Promise<Record<string, number>>
  /** Of all peers together, now. */
  limits(): { up: number; down: number }
}

export function createStatus(
  modules: StatusModules,
  options: { version: string; quotaBytes: number; peersWanted: number }
): StatusService {
  return {
    identity(): Identity {
      return {
        peerId: modules.peerId(),
        publicKey: formatPublicKey(modules.publicKey),
        addresses: modules.addresses()
      }
    },
    health: () => healthOf(modules, options),
    async status(): Promise<Status> {
      const store = { ...modules.store(), quotaBytes: options.quotaBytes }
      const { complete, damaged } = await modules.holdings()
      const reachability = modules.reachability()
      return {
        state: modules.lifecycle.state,
        health: await healthOf(modules, options),
        alerts: modules.alerts(),
        anomalies: modules.anomalies(),
        tuned: modules.tuned(),
        uptimeMs: Math.round(modules.uptimeMs()),
        peers: modules.peers(),
        partition: modules.partition(),
        reachability: { ...reachability, relays: [...reachability.relays] },
        library: { root: await modules.root(), ...modules.library() },
        store: {
          bytes: store.bytes,
          quotaBytes: store.quotaBytes,
          chunks: store.chunks,
          contents: complete,
          damaged,
          lastScrub: modules.scrub() ?? null
        },
        memory: { rssBytes: modules.rssBytes() },
        queues: {
          operations: modules.operations.running,
          ...modules.queues(),
          skippedPeers: modules.skipped().length
        },
        rates: await modules.rates(),
        limits: modules.limits(),
        version: options.version
      }
    }
  }
}

async function healthOf(
  modules: StatusModules,
  { quotaBytes, peersWanted }: { quotaBytes: number; peersWanted: number }
): Promise<Status['health']> {
  const store = { ...modules.store(), quotaBytes }
  const reasons = healthReasons(modules, store, modules.peers(), peersWanted)
  const diskReason = await diskReasonOf(modules)
  if (diskReason !== undefined) reasons.push(diskReason)
  const { damaged } = await modules.holdings()
  if (damaged > 0)
    reasons.push(
      `blocks are missing from ${plural(damaged, 'content')} once whole: run \`catalog verify --all --repair\``
    )
  return { score: Math.max(0, 1 - REASON_WEIGHT * reasons.length), reasons }
}

/** What there is to say of the disk: the store stops before it is full, so that its index can still be written. */
async function diskReasonOf({ freeBytes }: StatusModules): Promise<string | undefined> {
  const free = await freeBytes()
  if (free < DISK_HEADROOM_BYTES)
    return `the disk is full: ${displaySize(free)} free, and the store takes nothing more`
  return free < LOW_DISK_BYTES ? `the disk is nearly full: ${displaySize(free)} free` : undefined
}

function healthReasons(
  { lifecycle, operations, skipped, partition }: StatusModules,
  store: { bytes: number; quotaBytes: number },
  peers: number,
  peersWanted: number
): string[] {
  const reasons: string[] = []
  if (lifecycle.state !== 'running') reasons.push(`the node is ${lifecycle.state}`)
  if (peers === 0 && peersWanted > 0)
    reasons.push('no peers: join with `catalog init --join INVITE` or `catalog peers connect ADDR`')
  const { state, reasons: causes } = partition()
  if (state === 'partitioned') reasons.push(`the network is partitioned: ${causes.join('; ')}`)
  if (operations.running >= DEGRADED_OPERATIONS) reasons.push(`${operations.running} operations run at once`)
  const { bytes, quotaBytes } = store
  if (quotaBytes > 0 && bytes > quotaBytes)
    reasons.push(`the store has exceeded its quota: ${displaySize(bytes)} of ${displaySize(quotaBytes)}`)
  else if (quotaBytes > 0 && bytes === quotaBytes) reasons.push('the store has reached its quota')
  else if (quotaBytes > 0 && bytes >= NEARLY_FULL * quotaBytes)
    reasons.push('the store has nearly reached its quota')
  const [skippedPeer, ...others] = skipped()
  // One bad peer among many is their trouble; when most of them fail it is more likely this node's.
  if (skippedPeer !== undefined && others.length + 1 >= peers)
    reasons.push(
      `left alone after repeated failures: ${plural(others.length + 1, 'peer')}, such as ${skippedPeer.peerId}: ${skippedPeer.reason}`
    )
  return reasons
}
