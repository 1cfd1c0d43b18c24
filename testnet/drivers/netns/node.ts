/** A node whose daemon is a process in a namespace of this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { homeLayout, type ReadyLine } from '../../../node/index.ts'
import type { NodePlan } from '../../network/plan.ts'
import { endProcess, processId, sendSignal, stateOf, untilEnded } from '../../process-id.ts'
import { askAdmin } from '../admin.ts'
import { daemonArguments, listenAddress } from '../daemon-arguments.ts'
import {
  type AdminAnswer,
  type AdminRequest,
  type BesideProcess,
  type CommandEnd,
  type ErrorDocument,
  type HomeFiles,
  type Hooks,
  type NodeState,
  type RunningNode,
  type StartOptions,
  unsupported
} from '../driver.ts'
import { LocalHomeFiles } from '../home-files.ts'
import { SmallDisk } from '../small-disk.ts'
import { type MadeStore, type NodePaths, pathsOf } from './made.ts'
import type { RegionHost } from './regions.ts'

const HOOKS = join(import.meta.dirname, '..', 'hooks.mjs')
/** A daemon is ready in a fraction of a second; the rest is for a machine that has ten times more to do than it has cores. */
const READY_MS = MINUTE_MS
const POLL_MS = 20
/** A daemon promises ten seconds. */
const STOP_MS = 12 * SECOND_MS
/** For a signal that stops it. */
const PAUSE_MS = 5 * SECOND_MS
/** What a process beside a node may take to clean up. */
const LAST_WORDS_MS = 2 * SECOND_MS

export interface NodeModules {
  readonly store: MadeStore
  readonly host: RegionHost
  /** Of another node. */
  readonly nodeOf: (name: string) => RunningNode
}

export class NetnsNode implements RunningNode {
  readonly plan: NodePlan
  readonly files: HomeFiles
  readonly #modules: NodeModules
  readonly #paths: NodePaths

  constructor(plan: NodePlan, modules: NodeModules) {
    this.plan = plan
    this.#modules = modules
    this.#paths = pathsOf(modules.store.folder).node(plan.name)
    this.files = new LocalHomeFiles(this.#paths.home)
  }

  get name(): string {
    return this.plan.name
  }

  get peerId(): string {
    return this.#modules.store.node(this.name).peerId
  }

  get address(): string {
    return `${listenAddress(this.#modules.host.address)}/p2p/${this.peerId}`
  }

  async state(): Promise<NodeState> {
    const { daemon } = this.#modules.store.node(this.name)
    const state = daemon === undefined ? 'ended' : stateOf(daemon)
    return state === 'ended' ? 'stopped' : state
  }

  async catalog(args: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
    const { program } = this.#modules.store.node(this.name)
    const child = this.#spawn([process.execPath, program, ...args, '--home', this.#paths.home, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal
    })
    const said = Promise.all([text(child.stdout!), text(child.stderr!)])
    const [code] = (await once(child, 'close')) as [number | null]
    const [stdout, stderr] = await said
    const json = stdout === '' ? undefined : JSON.parse(stdout)
    const error = (json as { error?: ErrorDocument } | undefined)?.error
    return { code, json, stderr, ...(error && { error }) }
  }

  ask(request: AdminRequest, signal: AbortSignal): Promise<AdminAnswer> {
    return askAdmin(homeLayout(this.#paths.home).socket, request, signal)
  }

  async start({ program }: StartOptions, signal: AbortSignal): Promise<number> {
    const { store } = this.#modules
    const startedMs = performance.now()
    const { program: used } = store.node(this.name)
    const [stdout, stderr] = [openSync(this.#paths.stdout, 'w'), openSync(this.#paths.stderr, 'w')]
    const command = [process.execPath, '--import', HOOKS, program ?? used, ...this.#daemonArguments()]
    const child = this.#spawn(command, {
      stdio: ['ignore', stdout, stderr],
      detached: true,
      env: { ...process.env, CATALOG_TESTNET_HOOKS: this.#paths.hooks }
    })
    closeSync(stdout)
    closeSync(stderr)
    child.unref()
    store.changeNode(this.name, { program: program ?? used, daemon: processId(child.pid!) })
    try {
      await this.#untilReady(AbortSignal.any([signal, AbortSignal.timeout(READY_MS)]))
    } catch (error) {
      await this.kill()
      throw error
    }
    return performance.now() - startedMs
  }

  async stop(signal: AbortSignal): Promise<void> {
    const { daemon } = this.#modules.store.node(this.name)
    if (daemon === undefined || !sendSignal(daemon, 'SIGTERM')) return
    if (!(await untilEnded(daemon, STOP_MS, signal))) await endProcess(daemon)
  }

  async kill(): Promise<void> {
    const { daemon } = this.#modules.store.node(this.name)
    if (daemon !== undefined) await endProcess(daemon)
  }

  async pause(): Promise<void> {
    this.#signal('SIGSTOP')
    // A thread that is in the kernel stops when it comes out of it.
    const signal = AbortSignal.timeout(PAUSE_MS)
    while ((await this.state()) === 'running') await wait(POLL_MS, undefined, { signal })
  }

  async resume(): Promise<void> {
    this.#signal('SIGCONT')
  }

  async setHooks(hooks: Hooks): Promise<void> {
    // Whole or not at all: the daemon may read it at any moment.
    writeFileSync(`${this.#paths.hooks}.new`, JSON.stringify(hooks))
    renameSync(`${this.#paths.hooks}.new`, this.#paths.hooks)
  }

  async fillDisk(leaveBytes: number): Promise<void> {
    this.#disk().fill(leaveBytes)
  }

  async freeDisk(): Promise<void> {
    this.#disk().free()
  }

  async beside(command: readonly string[]): Promise<BesideProcess> {
    const words = command[0] === 'node' ? [process.execPath, ...command.slice(1)] : command
    const child = this.#spawn(words, { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child, 'spawn')
    const ended = once(child, 'close')
    // It may have ended by itself when something is written to it.
    child.stdin!.on('error', () => undefined)
    return {
      lines: createInterface({ input: child.stdout! }),
      write: line => void child.stdin!.write(`${line}\n`),
      async end() {
        child.kill('SIGTERM')
        const late = setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS)
        await ended
        clearTimeout(late)
      }
    }
  }

  #daemonArguments(): string[] {
    const own = daemonArguments(this.plan, this.#modules.nodeOf)
    return ['daemon', '--home', this.#paths.home, '--json', ...own]
  }

  /** Until it has printed that it is ready. */
  async #untilReady(signal: AbortSignal): Promise<void> {
    for (;;) {
      const line = readFileSync(this.#paths.stdout, 'utf8').split('\n', 2)
      if (line.length === 2) {
        const said = JSON.parse(line[0]!) as ReadyLine & { error?: ErrorDocument }
        if (said.error === undefined) return
        throw new Error(`${this.name} did not start: ${said.error.code}: ${said.error.message}`)
      }
      if ((await this.state()) === 'stopped')
        throw new Error(`${this.name} did not start: ${readFileSync(this.#paths.stderr, 'utf8')}`)
      await wait(POLL_MS, undefined, { signal })
    }
  }

  #disk(): SmallDisk {
    if (this.plan.limits.diskBytes === undefined)
      throw unsupported('netns', `fill the disk of ${this.name}, which has none of its own`)
    return SmallDisk.at(this.#paths.disk)
  }

  #signal(signal: NodeJS.Signals): void {
    const { daemon } = this.#modules.store.node(this.name)
    if (daemon !== undefined) sendSignal(daemon, signal)
  }

  #spawn(command: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess {
    // `ip` becomes the command: its process is the command's.
    return spawn('ip', ['netns', 'exec', this.#modules.host.namespace, ...command], options)
  }
}
