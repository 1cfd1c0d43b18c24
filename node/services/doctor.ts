import { randomBytes } from 'node:crypto'
import { readdir, statfs } from 'node:fs/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { type Clock, displayDuration, displaySize, plural, toCatalogError } from '../../base/index.ts'
import { isLocalAddress } from '../../discovery/index.ts'
import {
  BLOCK_ID_BYTES,
  type BlockId,
  type BucketWork,
  type DatabaseReader,
  type Holdings,
  lookAtBlocks
} from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import type { AlertShape } from '../alert-schemas.ts'
import { readLastBackup } from '../backup/last-backup.ts'
import { checkPermissions, type HomeLayout } from '../home/layout.ts'
import type { Reachability } from '../host/index.ts'
import type { PartitionShape } from '../partition-schemas.ts'
import type { DoctorCheck } from '../schemas.ts'
import { libraryCheck, ownLibrariesCheck } from './library-checks.ts'
import {
  bad,
  checkOf,
  clockCheck,
  diskCheck,
  type Finding,
  integrityCheck,
  type LastScrub,
  nodeCheck,
  ok,
  warn
} from './machine-checks.ts'
import type { OffloadState } from './offloading.ts'
import {
  backupCheck,
  blocksCheck,
  keysCheck,
  limitsCheck,
  openFilesLimit,
  SAMPLE_BLOCKS
} from './state-checks.ts'
import type { DoctorService } from './types.ts'

export interface DoctorModules {
  home: HomeLayout
  clock: Clock
  addresses(): string[]
  peers(): number
  partition(): PartitionShape
  /** Addresses of the peers to join through, and the ids of those that are connected. */
  bootstraps: readonly string[]
  connected(): readonly string[]
  reachability(): Reachability
  store(): { bytes: number; chunks: number }
  holdings(): Promise<Holdings>
  /** The last check of everything in the store. */
  scrub(): LastScrub | undefined
  sets: Pick<LibrarySets, 'state' | 'evidence' | 'followed' | 'access'>
  /** Reads one stored block back, whichever is at hand; throws when it is damaged. */
  probeStore(signal: AbortSignal): Promise<void>
  database: DatabaseReader
  /** Whether a block is what it should be. */
  isGood(id: BlockId): Promise<boolean>
  alerts(): readonly AlertShape[]
  /** Where sealed segments go, when that is a bucket, and how it stands with it. */
  bucket: Pick<BucketWork, 'probe'> | undefined
  offload(): OffloadState | undefined
}

/** Checks that find out what commonly is wrong, each with what to do about it. */
export function createDoctor(modules: DoctorModules): DoctorService {
  const checks: Array<
    [name: string, run: (signal: AbortSignal, isFull: boolean) => Finding | Promise<Finding>]
  > = [
    ['node', () => nodeCheck(process.versions.node)],
    ['permissions', () => permissionCheck(modules.home)],
    ['keys', () => keysCheck(modules, modules.home)],
    ['disk', () => roomCheck(modules.home)],
    ['limits', async () => limitsCheck(await openFilesLimit())],
    ['clock', () => clockCheck(modules.clock)],
    ['listen', () => listenCheck(modules.addresses())],
    ['peers', () => peerCheck(modules)],
    ['bootstrap', () => bootstrapCheck(modules.bootstraps, modules.connected())],
    ['partition', () => partitionCheck(modules.partition())],
    ['reachability', () => reachCheck(modules.reachability(), modules.addresses())],
    ['store', signal => storeCheck(modules, signal)],
    ['blocks', (signal, isFull) => sampleCheck(modules, isFull, signal)],
    ['integrity', async () => integrityCheck(await modules.holdings(), modules.scrub())],
    ['library', signal => libraryCheck(modules.sets, signal)],
    ['libraries', signal => ownLibrariesCheck(modules, signal)],
    ['alerts', () => alertsCheck(modules.alerts())],
    ['backup', () => lastBackupCheck(modules)]
  ]
  if (modules.bucket !== undefined) checks.push(['bucket', signal => bucketCheck(modules, signal)])
  return {
    async run(isFull, signal) {
      const done: DoctorCheck[] = []
      for (const [name, run] of checks) {
        signal.throwIfAborted()
        const finding = await findingOf(() => run(signal, isFull))
        done.push(checkOf(name, finding))
      }
      return done
    }
  }
}

/** A check that fails has found something: its error is the finding. */
async function findingOf(run: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await run()
  } catch (thrown) {
    const { code, message, hint } = toCatalogError(thrown)
    return bad(`${code}: ${message}`, hint)
  }
}

async function permissionCheck(home: HomeLayout): Promise<Finding> {
  await checkPermissions(home)
  return ok(`only you can read ${home.root}`)
}

async function roomCheck(home: HomeLayout): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(home.segments)
  return diskCheck({ freeBytes: bavail * bsize, totalBytes: blocks * bsize })
}

function listenCheck(addresses: string[]): Finding {
  return addresses.length === 0
    ? bad('the node listens nowhere', 'see network.listen, and whether the port is free')
    : isOnlyLocal(addresses)
      ? warn(`listening on ${addresses.join(', ')}: reachable only from this machine`, ONLY_LOCAL_HINT)
      : ok(`listening on ${addresses.join(', ')}`)
}

const ONLY_LOCAL_HINT =
  'set network.listen to an address that other machines reach, such as /ip4/0.0.0.0/udp/4747/quic-v1'
const LOOPBACK = /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/

/** Whether nobody but programs of this machine can reach any of the addresses. */
export const isOnlyLocal = (addresses: readonly string[]): boolean =>
  addresses.every(address => LOOPBACK.test(address))

function peerCheck({ peers, bootstraps }: DoctorModules): Finding {
  const count = peers()
  if (count > 0) return ok(`connected to ${plural(count, 'peer')}`)
  if (bootstraps.length === 0)
    return warn(
      'no peers, and none to join through',
      'join with `catalog init --join INVITE`, or `catalog peers connect ADDR`'
    )
  return warn('no peers', 'check that the bootstrap peers run, and that UDP gets out of this network')
}

/** Whether the network can be joined through anybody: those that are not connected are dialled again and again. Exported for tests. */
export function bootstrapCheck(addresses: readonly string[], connected: readonly string[]): Finding {
  const away = addresses.filter(address => !connected.some(peer => address.endsWith(`/p2p/${peer}`)))
  if (addresses.length === 0) return ok('none is configured (network.bootstrap)')
  const here = addresses.length - away.length
  const message = `connected to ${here} of ${plural(addresses.length, 'bootstrap peer')}`
  if (here > 0) return ok(away.length === 0 ? message : `${message}; not to ${away.join(', ')}`)
  return warn(
    `${message}: ${away.join(', ')} cannot be reached`,
    'see whether they run and UDP gets out of this network; `catalog peers connect ADDR` says why one is not reached'
  )
}

/** What an operator is to act on already. Exported for tests. */
export function alertsCheck(alerts: readonly AlertShape[]): Finding {
  if (alerts.length === 0) return ok('none')
  const message = alerts
    .map(
      ({ about, message, since }) => `${about === undefined ? '' : `${about}: `}${message} (since ${since})`
    )
    .join('; ')
  const hint = [...new Set(alerts.map(alert => alert.hint))].join('; ')
  return alerts.some(({ level }) => level === 'error') ? bad(message, hint) : warn(message, hint)
}

async function sampleCheck(
  { database, isGood }: DoctorModules,
  isFull: boolean,
  signal: AbortSignal
): Promise<Finding> {
  const from = randomBytes(BLOCK_ID_BYTES)
  const limit = isFull ? undefined : SAMPLE_BLOCKS
  return blocksCheck(await lookAtBlocks({ database, isGood }, { limit, from, signal }), isFull)
}

function lastBackupCheck({ database, store, clock }: DoctorModules): Finding {
  return backupCheck(readLastBackup(database), store().chunks > 0, clock.now())
}

/** Exported for tests. */
export function partitionCheck({ state, reasons, last }: PartitionShape): Finding {
  const because = reasons.join('; ')
  if (state === 'partitioned')
    return warn(
      `the network is partitioned: ${because}`,
      'see to the way to those peers; the node looks for them, and makes up for it when they are back'
    )
  if (state !== 'whole') return warn(`${state}: ${because}`, '`catalog status` tells what becomes of it')
  return ok(
    last === null
      ? 'the network is whole as seen from here'
      : `the network is whole; it was ${last.kind} for ${displayDuration(last.lastedMs)} from ${last.since} on`
  )
}

const FORWARD =
  'turn on UPnP in the router, or forward UDP and TCP port 4747 of the router to this machine and name its outer address in network.announce'

/** Exported for tests. */
export function reachCheck({ state, relays }: Reachability, addresses: readonly string[] = []): Finding {
  switch (state) {
    case 'direct':
      return ok(`other nodes can dial this one at ${publicOnes(addresses)}`)
    case 'relayed':
      return ok(
        `other nodes reach this one through ${relays.length === 1 ? 'the relay' : 'the relays'} ${relays.join(', ')}, within the limits of relays; ${FORWARD} for direct connections`
      )
    case 'unreachable':
      return warn(
        'other nodes cannot reach this one: it is behind NAT or a firewall, and no connected peer relays',
        `${FORWARD}, or connect to a node that has relay.serve; fetching works without`
      )
    case 'unknown':
      return ok(
        `nobody has tried yet whether ${publicOnes(addresses)} can be dialled; peers on the Internet do when this node connects to some`
      )
    case 'local':
      return ok('all addresses and peers are of the local network')
  }
}

function publicOnes(addresses: readonly string[]): string {
  const outside = addresses.filter(
    address => !address.includes('/p2p-circuit') && !isLocalAddress(multiaddr(address))
  )
  return outside.length === 0 ? 'its public address' : outside.join(', ')
}

async function storeCheck({ home, store, probeStore }: DoctorModules, signal: AbortSignal): Promise<Finding> {
  await probeStore(signal)
  const { bytes, chunks } = store()
  const segments = (await readdir(home.segments)).filter(name => /^\d+$/.test(name)).length
  return ok(`${displaySize(bytes)} in ${plural(segments, 'segment')}, ${plural(chunks, 'block')}`)
}

/** Asks the bucket itself; what cannot be reached is found by its error. */
async function bucketCheck({ bucket, offload }: DoctorModules, signal: AbortSignal): Promise<Finding> {
  await bucket?.probe(signal)
  const { backlogBytes = 0, backlogSegments = 0, cachedBytes = 0, problem } = offload() ?? {}
  const waiting = `waiting for it: ${displaySize(backlogBytes)} in ${plural(backlogSegments, 'segment')}; kept here too: ${displaySize(cachedBytes)}`
  return problem === undefined
    ? ok(`the bucket answers; ${waiting}`)
    : warn(
        `the bucket answers; ${waiting}; the last try failed: ${problem.code}: ${problem.message}`,
        problem.hint
      )
}
