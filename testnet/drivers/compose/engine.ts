/** The container engine and Compose, as their command lines. Compose 1 is a command of its own, Compose 2 one of docker's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

const ROOT = resolve(import.meta.dirname, '../../..')
/** Into the namespace of a container; for loss and cuts; for rates and delays. */
const FAULT_PROGRAMS = ['nsenter', 'nft', 'tc']
/** Of what a command said when it failed: its end tells why. */
const SAID_CHARACTERS = 2000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Why no containers can be run here; undefined when they can. */
export function whyNoEngine(): string | undefined {
  // Homes belong to the user in the container, and faults of the network are made in its namespace.
  if (process.getuid?.() !== 0) return 'not root'
  const { status, error, stderr } = spawnSync('docker', ['info'], { encoding: 'utf8' })
  if (error !== undefined) return 'no docker'
  if (status !== 0) return `no container engine runs: ${stderr.trim().split('\n').at(-1)}`
  return spawnSync(composeCommand()[0]!, ['version']).status === 0 ? undefined : 'no Compose'
}

/** Which of the programs that make faults of links is missing; undefined when all are here. */
export function whyNoFaults(): string | undefined {
  const missing = FAULT_PROGRAMS.filter(program => spawnSync(program, ['-V']).error !== undefined)
  return missing.length === 0
    ? undefined
    : `no ${missing.join(', no ')} (packages util-linux, nftables, iproute2)`
}

/** Why this kernel cannot delay packets; undefined when it can. Tried in a network that is gone with the command. */
export function whyNoNetem(): string | undefined {
  const command = ['--net', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']
  const { status, error, stderr } = spawnSync('unshare', command, { encoding: 'utf8' })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

let compose: readonly string[] | undefined

function composeCommand(): readonly string[] {
  compose ??=
    spawnSync('docker', ['compose', 'version']).status === 0 ? ['docker', 'compose'] : ['docker-compose']
  return compose
}

/** Runs it to its end and tells how it was. `input` goes to its standard input. */
export async function end(
  [command, ...args]: readonly string[],
  { input, signal }: { input?: string; signal?: AbortSignal } = {}
): Promise<Ended> {
  const child = spawn(command!, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(signal && { signal })
  }) as ChildProcess
  // A command that has ended reads nothing any more, and its status says why.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  const said = Promise.all([text(child.stdout!), text(child.stderr!)])
  const [code] = (await once(child, 'close')) as [number | null]
  const [stdout, stderr] = await said
  return { code, stdout, stderr }
}

/** Its standard output; throws what it said when it failed. */
export async function run(command: readonly string[], options?: Parameters<typeof end>[1]): Promise<string> {
  const { code, stdout, stderr } = await end(command, options)
  if (code === 0) return stdout
  throw new Error(
    `${command.slice(0, 4).join(' ')} ended with ${code}: ${(stderr || stdout).slice(-SAID_CHARACTERS)}`
  )
}

/** Number of the first process of a container; 0 when it does not run. */
export async function processOf(container: string): Promise<number> {
  return Number(await run(['docker', 'inspect', '-f', '{{.State.Pid}}', container]))
}

/** Words before a command of this machine that is to have the network of that process. */
export const insideNetworkOf = (pid: number): readonly string[] => ['nsenter', `--net=/proc/${pid}/ns/net`]

/** A command of Compose about one project. */
export function runCompose(
  { project, file }: { project: string; file: string },
  args: readonly string[],
  signal?: AbortSignal
): Promise<string> {
  return run([...composeCommand(), '-p', project, '-f', file, ...args], { ...(signal && { signal }) })
}

/** Builds the image of this tree under that name, when the engine has none. */
export async function ensureImage(image: string, signal: AbortSignal): Promise<void> {
  const { code } = await end(['docker', 'image', 'inspect', image], { signal })
  if (code === 0) return
  const base = process.env.CATALOG_BASE_IMAGE
  const argument = base === undefined ? [] : ['--build-arg', `BASE=${base}`]
  await run(['docker', 'build', '-q', '-t', image, ...argument, ROOT], { signal })
}

/** Networks that the engine has, as `10.1.2.0/24`. */
export async function takenSubnets(signal: AbortSignal): Promise<string[]> {
  const ids = (await run(['docker', 'network', 'ls', '-q'], { signal })).split('\n').filter(id => id !== '')
  const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}'
  return (await run(['docker', 'network', 'inspect', '-f', format, ...ids], { signal })).split(/\s+/)
}
