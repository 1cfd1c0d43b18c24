import { readdir, statfs } from 'node:fs/promises'
import { type Clock, displaySize, toCatalogError } from '../../base/index.ts'
import { DISK_HEADROOM_BYTES } from '../../library/index.ts'
import { checkPermissions, type HomeLayout } from '../home/layout.ts'
import type { Reachability } from '../host/index.ts'
import type { DoctorCheck } from '../schemas.ts'
import { LOW_DISK_BYTES } from './status.ts'
import type { DoctorService } from './types.ts'

/** The versions that are tested. */
const MIN_NODE = [24, 15] as const
/** No clock that is right shows an earlier time than this release's. */
const RELEASE_MS = Date.UTC(2026, 0, 1)

export interface DoctorModules {
  home: HomeLayout
  clock: Clock
  addresses(): string[]
  peers(): number
  bootstraps(): number
  reachability(): Reachability
  store(): { bytes: number; chunks: number }
  /** Reads one stored block back, whichever is at hand; throws when it is damaged. */
  probeStore(signal: AbortSignal): Promise<void>
}

type Finding = Omit<DoctorCheck, 'name' | 'ok'>
const ok = (message: string): Finding => ({ level: 'ok', message })
const warn = (message: string, hint: string): Finding => ({ level: 'warn', message, hint })
const bad = (message: string, hint: string): Finding => ({ level: 'error', message, hint })

/** Checks that find out what commonly is wrong, each with what to do about it. */
export function createDoctor(modules: DoctorModules): DoctorService {
  const checks: Array<[name: string, run: (signal: AbortSignal) => Finding | Promise<Finding>]> = [
    ['node', () => nodeCheck(process.versions.node)],
    ['permissions', () => permissionCheck(modules.home)],
    ['disk', () => diskCheck(modules.home)],
    ['clock', () => clockCheck(modules.clock)],
    ['listen', () => listenCheck(modules.addresses())],
    ['peers', () => peerCheck(modules)],
    ['reachability', () => reachCheck(modules.reachability())],
    ['store', signal => storeCheck(modules, signal)]
  ]
  return {
    async run(signal) {
      const done: DoctorCheck[] = []
      for (const [name, run] of checks) {
        signal.throwIfAborted()
        const finding = await findingOf(() => run(signal))
        done.push({ name, ok: finding.level !== 'error', ...finding })
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

/** Exported for tests: the version is that of the running process otherwise. */
export function nodeCheck(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor] = MIN_NODE
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return ok(`Node ${version}`)
  return warn(`Node ${version} is not tested`, `use Node ${wantedMajor}.${wantedMinor} or newer`)
}

async function permissionCheck(home: HomeLayout): Promise<Finding> {
  await checkPermissions(home)
  return ok(`only you can read ${home.root}`)
}

async function diskCheck(home: HomeLayout): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(home.segments)
  const freeBytes = bavail * bsize
  const message = `${displaySize(freeBytes)} free of ${displaySize(blocks * bsize)}`
  if (freeBytes < DISK_HEADROOM_BYTES)
    return bad(
      `${message}: the store takes nothing more, it leaves ${displaySize(DISK_HEADROOM_BYTES)} to its index`,
      'free space, or move the home to a larger disk'
    )
  return freeBytes < LOW_DISK_BYTES
    ? warn(message, 'free space, or move the home to a larger disk')
    : ok(message)
}

function clockCheck(clock: Clock): Finding {
  const now = new Date(clock.now()).toISOString()
  return clock.now() < RELEASE_MS
    ? bad(`the clock says ${now}`, 'set the clock: sequence numbers and expiries depend on it')
    : ok(`the clock says ${now}`)
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
  if (count > 0) return ok(`connected to ${count} peer${count === 1 ? '' : 's'}`)
  if (bootstraps() === 0)
    return warn(
      'no peers, and none to join through',
      'join with `catalog init --join INVITE`, or `catalog peers connect ADDR`'
    )
  return warn('no peers', 'check that the bootstrap peers run, and that UDP gets out of this network')
}

const FORWARD =
  'turn on UPnP in the router, or forward UDP and TCP port 4747 of the router to this machine and name its outer address in network.announce'

/** Exported for tests. */
export function reachCheck({ state, relays }: Reachability): Finding {
  switch (state) {
    case 'direct':
      return ok('other nodes can dial this one')
    case 'relayed':
      return ok(
        `other nodes reach this one through ${relays.length} relay${relays.length === 1 ? '' : 's'}, within the relay's limits; ${FORWARD} for direct connections`
      )
    case 'unreachable':
      return warn(
        'other nodes cannot reach this one: it is behind NAT or a firewall, and no connected peer relays',
        `${FORWARD}, or connect to a node that has relay.serve; fetching works without`
      )
    case 'unknown':
      return ok('nobody has tried yet whether the public address of this node can be dialled')
    case 'local':
      return ok('all addresses and peers are of the local network')
  }
}

async function storeCheck({ home, store, probeStore }: DoctorModules, signal: AbortSignal): Promise<Finding> {
  await probeStore(signal)
  const { bytes, chunks } = store()
  const segments = (await readdir(home.segments)).length
  return ok(`${displaySize(bytes)} in ${segments} segments, ${chunks} blocks`)
}
