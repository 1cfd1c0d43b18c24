/** What can be seen of a home from outside, without its daemon. Each check answers; none throws. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { displaySize, plural, systemClock, toCatalogError } from '../../base/index.ts'
import { type Config, loadConfig } from '../../config/index.ts'
import { type Inspection, inspectLibrary } from '../../library/index.ts'
import {
  backupCheck,
  bad,
  blocksCheck,
  CURRENT_FORMAT,
  checkOf,
  clockCheck,
  diskCheck,
  expectReadable,
  type Finding,
  homeLayout,
  integrityCheck,
  keysCheck,
  type LastBackup,
  limitsCheck,
  MIGRATIONS,
  nodeCheck,
  ok,
  openFilesLimit,
  readClaim,
  readFormat,
  readKnownFormat,
  readLastBackup,
  SAMPLE_BLOCKS,
  VERSION,
  warn
} from '../../node/index.ts'
import type { DoctorCheck } from '../client/types.ts'

/** Any of these bits lets other users in. */
const OTHERS = 0o077
/** What must be there, and be nobody else's. */
const PRIVATE_FILES = ['node.key', 'keyring']

export interface OfflineOptions {
  isRunning: boolean
  /** Every block of the store is hashed, not a sample. */
  isFull: boolean
  signal: AbortSignal
}

/** Checks a home. A daemon that runs looks at its permissions, disk and ports itself. */
export async function offlineChecks(
  home: string,
  env: NodeJS.ProcessEnv,
  { isRunning, isFull, signal }: OfflineOptions
): Promise<DoctorCheck[]> {
  const homeFinding = await checkHome(home)
  if (homeFinding.level !== 'ok') return [checkOf('home', homeFinding)]
  const { finding, config } = checkConfig(home, env)
  const seen = [checkOf('home', homeFinding), ...(await checkFormat(home)), checkOf('config', finding)]
  if (isRunning) return [...seen, ...(await checkVersion(home))]
  const ports = (config?.network.listen ?? []).map(async listen =>
    checkOf(`port ${listen}`, await checkPort(listen))
  )
  return [
    ...seen,
    checkOf('node', nodeCheck(process.versions.node)),
    checkOf('permissions', checkPermissions(home)),
    checkOf('keys', await findingOf(() => keysCheck({ clock: systemClock }, homeLayout(home)))),
    checkOf('disk', checkDisk(home)),
    checkOf('limits', limitsCheck(await openFilesLimit())),
    checkOf('clock', clockCheck(systemClock)),
    ...(await Promise.all(ports)),
    ...(await checkStore(home, isFull, signal))
  ]
}

/** There is a home, of a format that this program knows: of another one nothing more can be said. */
async function checkHome(home: string): Promise<Finding> {
  try {
    await readKnownFormat(homeLayout(home))
    return ok(home)
  } catch (error) {
    const { message, hint } = toCatalogError(error)
    return bad(message, hint)
  }
}

/** Only where there is something to say of it. */
async function checkFormat(home: string): Promise<DoctorCheck[]> {
  const format = await readFormat(homeLayout(home))
  const steps = MIGRATIONS.filter(({ from }) => from >= format)
  if (steps.length === 0) return []
  const what = steps.map(step => step.what).join(', ')
  const message = `format ${format}: the next start of the daemon brings it to ${CURRENT_FORMAT} (${what})`
  return [
    checkOf(
      'format',
      warn(message, 'make a `catalog backup` first: an earlier Catalog does not read it any more')
    )
  ]
}

function checkPermissions(home: string): Finding {
  for (const file of ['', ...PRIVATE_FILES].map(name => path.join(home, name))) {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats === undefined) return bad(`${file} is missing`, 'restore it from a backup of the home')
    if ((stats.mode & OTHERS) !== 0) {
      const mode = (stats.mode & 0o777).toString(8)
      return bad(`${file} has mode ${mode}: other users can read it`, `chmod go-rwx ${file}`)
    }
  }
  return ok('home and keys are private')
}

function checkDisk(home: string): Finding {
  const { bavail, bsize, blocks } = statfsSync(home)
  return diskCheck({ freeBytes: bavail * bsize, totalBytes: blocks * bsize })
}

/** What the store itself says of what it holds. Nothing is changed, and nothing made that its owner could not read. */
async function checkStore(home: string, isFull: boolean, signal: AbortSignal): Promise<DoctorCheck[]> {
  if (statSync(home).uid !== process.getuid?.())
    return [checkOf('store', warn('not looked into: another user owns the home', 'run this as that user'))]
  try {
    let last: LastBackup | undefined
    const options = { sampleBlocks: isFull ? undefined : SAMPLE_BLOCKS, signal }
    const seen = await inspectLibrary(home, options, database => {
      last = readLastBackup(database)
    })
    if (seen === undefined)
      return [
        checkOf('store', ok('nothing is stored yet')),
        checkOf('backup', backupCheck(undefined, false, systemClock.now()))
      ]
    const message = `${displaySize(seen.bytes)}, ${plural(seen.chunks, 'block')}`
    const store = seen.isRecovered
      ? ok(message)
      : warn(
          `${message}; its files do not end where it says, as after a crash or a loss`,
          'start the daemon: it brings them together and says what is lost'
        )
    return [
      checkOf('store', store),
      ...countsCheck(seen, isFull),
      checkOf('blocks', blocksCheck(seen.look, isFull)),
      checkOf('integrity', integrityCheck(seen)),
      checkOf('backup', backupCheck(last, seen.chunks > 0, systemClock.now()))
    ]
  } catch (error) {
    signal.throwIfAborted()
    const { code, message, hint } = toCatalogError(error)
    return [checkOf('store', bad(`${code}: ${message}`, hint))]
  }
}

/** Whether the store counts what it has; only where it does not, and only where nothing was cut off by a crash. */
function countsCheck(
  { bytes, segmentBytes, chunks, look, isRecovered }: Inspection,
  isFull: boolean
): DoctorCheck[] {
  if (!isRecovered) return []
  const wrong = [
    ...(bytes === segmentBytes
      ? []
      : [`${displaySize(segmentBytes)} in segments, counted as ${displaySize(bytes)}`]),
    ...(isFull && look.blocks !== chunks
      ? [`${plural(look.blocks, 'block')}, counted as ${chunks.toLocaleString('en-GB')}`]
      : [])
  ]
  if (wrong.length === 0) return []
  return [
    checkOf(
      'counts',
      warn(
        wrong.join('; '),
        'run `catalog gc` with the daemon: it frees what is named by nothing and counts bytes anew'
      )
    )
  ]
}

/** Another program than the daemon's may be in use after an upgrade. */
async function checkVersion(home: string): Promise<DoctorCheck[]> {
  const claim = await readClaim(homeLayout(home))
  if (claim === undefined) return []
  const message = `the daemon runs Catalog ${claim.version} since ${claim.startedAt}`
  return [
    checkOf(
      'version',
      claim.version === VERSION
        ? ok(message)
        : warn(`${message}, and this is ${VERSION}`, 'restart the daemon')
    )
  ]
}

async function findingOf(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (error) {
    const { code, message, hint } = toCatalogError(error)
    return bad(`${code}: ${message}`, hint)
  }
}

function checkConfig(home: string, env: NodeJS.ProcessEnv): { finding: Finding; config?: Config } {
  const file = path.join(home, 'config.toml')
  try {
    const loaded = loadConfig({ env, ...(hasText(file) ? { file } : {}) })
    expectReadable(loaded)
    const { values, warnings } = loaded
    const finding = warnings.length === 0 ? ok(file) : warn(warnings.join('; '), `see ${file}`)
    return { finding, config: values }
  } catch (error) {
    return { finding: bad((error as Error).message, '`catalog config validate` names every problem') }
  }
}

function hasText(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').trim() !== ''
}

/** Tries to listen where the daemon would. */
async function checkPort(listen: string): Promise<Finding> {
  const [, family = '', address = '', protocol, port = ''] = listen.split('/')
  const isIp6 = family === 'ip6'
  try {
    if (protocol === 'tcp') await tryTcp(Number(port), address, isIp6)
    else await tryUdp(Number(port), address, isIp6)
    return ok('free')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isNoFamily = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
    if (isNoFamily) return warn(`this machine has no such address (${code})`, 'take it out of network.listen')
    return bad(message, 'stop what uses the port, or change network.listen')
  }
}

async function tryUdp(port: number, address: string, ipv6Only: boolean): Promise<void> {
  const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only })
  try {
    socket.bind(port, address)
    await once(socket, 'listening')
  } finally {
    socket.close()
  }
}

async function tryTcp(port: number, host: string, ipv6Only: boolean): Promise<void> {
  const server = createServer()
  try {
    server.listen({ port, host, ipv6Only })
    await once(server, 'listening')
  } finally {
    server.close()
  }
}
