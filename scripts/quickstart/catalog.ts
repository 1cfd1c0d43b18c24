/** Runs the command line as a user does: one process per command, one long-lived process per daemon. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const LAUNCHER = join(fileURLToPath(new URL('../..', import.meta.url)), 'bin', 'catalog.cjs')
/** A daemon is ready in a tenth of a second; a minute is for a machine that is very busy. */
const READY_TIMEOUT_MS = 60_000
/** The daemon promises to stop within 10 s. */
const STOP_TIMEOUT_MS = 15_000
/** Kept of a daemon's stderr for the case that it fails. */
const DIAGNOSTICS_BYTES = 16 * 1024

export interface RunningDaemon {
  who: string
  peerId: string
  pid: number
  stop(): Promise<void>
  kill(): void
  diagnostics(): string
}

/** Where its processes run and listen, unless on this host and on loopback, and what is set for its daemon. */
export interface CatalogPlace {
  /** Put before each command, as by `ip netns exec NAME`. */
  command?: readonly string[]
  listen?: readonly string[]
  settings?: Readonly<Record<string, string>>
}

export class Catalog {
  readonly #home: string
  readonly #place: CatalogPlace

  constructor(home: string, place: CatalogPlace = {}) {
    this.#home = home
    this.#place = place
  }

  /** One command with `--json`; its progress bar goes to the terminal. Throws with the command's own error. */
  async json<T = unknown>(...args: string[]): Promise<T> {
    const child = this.#spawn([...args, '--json'], ['ignore', 'pipe', 'inherit'])
    let stdout = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    const [code] = (await once(child, 'close')) as [number | null]
    const document =
      stdout === '' ? {} : (JSON.parse(stdout) as T & { error?: { code: string; message: string } })
    const error = (document as { error?: { code: string; message: string } }).error
    if (code !== 0)
      throw new Error(
        `catalog ${args[0]} ended with ${code}: ${error?.code ?? ''} ${error?.message ?? stdout}`
      )
    return document as T
  }

  async startDaemon(who: string): Promise<RunningDaemon> {
    const { listen = ['/ip4/127.0.0.1/udp/0/quic-v1'], settings = {} } = this.#place
    const args = ['daemon', '--json', '--no-mdns']
    for (const address of listen) args.push('--listen', address)
    for (const [key, value] of Object.entries(settings)) args.push('--set', `${key}=${value}`)
    const child = this.#spawn(args, ['ignore', 'pipe', 'pipe'])
    let diagnostics = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      diagnostics = (diagnostics + text).slice(-DIAGNOSTICS_BYTES)
    })
    const ready = await firstLine(child, who).catch(error => {
      child.kill('SIGKILL')
      throw new Error(`${error.message}\n${diagnostics}`)
    })
    const event = JSON.parse(ready) as { event?: string; peerId: string; error?: { message: string } }
    if (event.event !== 'ready') throw new Error(`${who} did not start: ${event.error?.message ?? ready}`)
    return {
      who,
      peerId: event.peerId,
      pid: child.pid!,
      diagnostics: () => diagnostics,
      kill: () => child.kill('SIGKILL'),
      stop: () => stopDaemon(child, who)
    }
  }

  #spawn(args: string[], stdio: Array<'ignore' | 'pipe' | 'inherit'>): ChildProcess {
    const { command: before = [] } = this.#place
    const [command, ...rest] = [...before, process.execPath, LAUNCHER, ...args, '--home', this.#home]
    return spawn(command!, rest, { stdio })
  }
}

const firstLine = async (child: ChildProcess, who: string): Promise<string> => {
  const lines = createInterface({ input: child.stdout! })
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${who} ended with ${code} before it was ready`)
  })
  const line = once(lines, 'line', { signal }).then(([text]) => text as string)
  ended.catch(() => {})
  return Promise.race([line, ended])
}

const stopDaemon = async (child: ChildProcess, who: string): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`${who} had ended by itself with ${child.exitCode ?? child.signalCode}`)
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) })
  child.kill('SIGTERM')
  try {
    const [code] = await ended
    if (code !== 0) throw new Error(`${who} ended with ${code} after SIGTERM`)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
