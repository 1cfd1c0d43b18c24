/** What can be seen of a home from outside, without its daemon. Each check answers; none throws. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { displaySize, GIB, toCatalogError } from '../../base/index.ts'
import { type Config, loadConfig } from '../../config/index.ts'
import { homeLayout, readKnownFormat } from '../../node/index.ts'
import type { DoctorCheck } from '../client/types.ts'

/** Below this a fetch of some size fails half-way. */
const LEAST_FREE_BYTES = GIB
/** Any of these bits lets other users in. */
const OTHERS = 0o077
/** What must be there, and be nobody else's. */
const PRIVATE_FILES = ['node.key', 'keyring']

/** Checks a home. A daemon that runs looks at its permissions, disk and ports itself. */
export async function offlineChecks(
  home: string,
  env: NodeJS.ProcessEnv,
  isRunning: boolean
): Promise<DoctorCheck[]> {
  const homeCheck = await checkHome(home)
  if (!homeCheck.ok) return [homeCheck]
  const { check, config } = checkConfig(home, env)
  const seen = [homeCheck, check]
  if (isRunning) return seen
  const ports = await Promise.all((config?.network.listen ?? []).map(checkPort))
  return [...seen, checkPermissions(home), checkDisk(home), ...ports]
}

/** There is a home, of a format that this program knows: of another one nothing more can be said. */
async function checkHome(home: string): Promise<DoctorCheck> {
  try {
    await readKnownFormat(homeLayout(home))
    return good('home', home)
  } catch (error) {
    const { message, hint } = toCatalogError(error)
    return bad('home', message, hint)
  }
}

function checkPermissions(home: string): DoctorCheck {
  for (const file of ['', ...PRIVATE_FILES].map(name => path.join(home, name))) {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats === undefined)
      return bad('permissions', `${file} is missing`, 'restore it from a backup of the home')
    if ((stats.mode & OTHERS) !== 0) {
      const mode = (stats.mode & 0o777).toString(8)
      return bad('permissions', `${file} has mode ${mode}: other users can read it`, `chmod go-rwx ${file}`)
    }
  }
  return good('permissions', 'home and keys are private')
}

function checkDisk(home: string): DoctorCheck {
  const { bavail, bsize } = statfsSync(home)
  const freeBytes = bavail * bsize
  const message = `${displaySize(freeBytes)} free`
  if (freeBytes >= LEAST_FREE_BYTES) return good('disk', message)
  return {
    name: 'disk',
    ok: false,
    level: 'warn',
    message,
    hint: 'free space, or move the home to a larger disk'
  }
}

function checkConfig(home: string, env: NodeJS.ProcessEnv): { check: DoctorCheck; config?: Config } {
  const file = path.join(home, 'config.toml')
  try {
    const { values, warnings } = loadConfig({ env, ...(hasText(file) ? { file } : {}) })
    const [first] = warnings
    if (first === undefined) return { check: good('config', file), config: values }
    return {
      check: { name: 'config', ok: true, level: 'warn', message: warnings.join('; '), hint: `see ${file}` },
      config: values
    }
  } catch (error) {
    return { check: bad('config', (error as Error).message, '`catalog config validate` names every problem') }
  }
}

function hasText(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').trim() !== ''
}

/** Tries to listen where the daemon would. */
async function checkPort(listen: string): Promise<DoctorCheck> {
  const [, family = '', address = '', protocol, port = ''] = listen.split('/')
  const name = `port ${listen}`
  const isIp6 = family === 'ip6'
  try {
    if (protocol === 'tcp') await tryTcp(Number(port), address, isIp6)
    else await tryUdp(Number(port), address, isIp6)
    return good(name, 'free')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isNoFamily = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
    if (isNoFamily)
      return {
        name,
        ok: false,
        level: 'warn',
        message: `this machine has no such address (${code})`,
        hint: 'take it out of network.listen'
      }
    return bad(name, message, 'stop what uses the port, or change network.listen')
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

function good(name: string, message: string): DoctorCheck {
  return { name, ok: true, level: 'ok', message }
}

function bad(name: string, message: string, hint: string): DoctorCheck {
  return { name, ok: false, level: 'error', message, hint }
}
