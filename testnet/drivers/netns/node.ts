/** A node whose daemon is a process in a namespace of this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS, timeoutSignal } from '../../../base/index.ts'
import type { ReadyLine } from '../../../node/index.ts'
import type { NodePlan } from '../../network/plan.ts'
import { endProcess, processId, sendSignal, stateOf, untilEnded } from '../../process-id.ts'
import { besideOf, onThisMachine } from '../beside.ts'
import { daemonArguments, listenAddress } from '../daemon-arguments.ts'
import type { BesideProcess, CommandEnd, NodeState, RunningNode, StartOptions } from '../driver.ts'
import { commandEnd, LocalNode } from '../local-node.ts'
import { type MadeNode, type MadeStore, type NetnsPaths, pathsOf } from './made.ts'
import type { RegionHost } from './regions.ts'

const HOOKS = join(import.meta.dirname, '..', 'hooks.mjs')
/** A daemon is ready in a fraction of a second; the rest is for a machine that has ten times more to do than it has cores. */
const READY_MS = MINUTE_MS
const POLL_MS = 20
/** A daemon promises ten seconds. */
const STOP_MS = 12 * SECOND_MS
/** For a signal that stops it. */
const PAUSE_MS = 5 * SECOND_MS

export interface NodeModules {
  readonly store: MadeStore
  readonly host: RegionHost
  /** Of another node. */
  readonly nodeOf: (name: string) => RunningNode
}

export class NetnsNode extends LocalNode implements RunningNode {
  readonly #modules: NodeModules
  readonly #paths: NetnsPaths

  constructor(plan: NodePlan, modules: NodeModules) {
    const paths = pathsOf(modules.store.folder).node(plan.name)
    super(plan, { driver: 'netns', paths })
    this.#modules = modules
    this.#paths = paths
  }

  get peerId(): string {
    return this.#made.peerId
  }

  get address(): string {
    return `${listenAddress(this.#modules.host.address)}/p2p/${this.peerId}`
  }

  async state(): Promise<NodeState> {
    const { daemon } = this.#made
    const state = daemon === undefined ? 'ended' : stateOf(daemon)
    return state === 'ended' ? 'stopped' : state
  }

  async catalog(args: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
    const command = [process.execPath, this.#made.program, ...args, '--home', this.#paths.home, '--json']
    const child = this.#spawn(command, { stdio: ['ignore', 'pipe', 'ignore'], signal })
    const said = text(child.stdout!)
    const [code] = (await once(child, 'close')) as [number | null]
    return commandEnd(code, await said)
  }

  async start({ program = this.#made.program }: StartOptions, signal: AbortSignal): Promise<number> {
    const startedMs = performance.now()
    const [stdout, stderr] = [openSync(this.#paths.stdout, 'w'), openSync(this.#paths.stderr, 'w')]
    const command = [process.execPath, '--import', HOOKS, program, ...this.#daemonArguments()]
    const child = this.#spawn(command, {
      stdio: ['ignore', stdout, stderr],
      detached: true,
      env: { ...process.env, CATALOG_TESTNET_HOOKS: this.#paths.hooks }
    })
    closeSync(stdout)
    closeSync(stderr)
    child.unref()
    this.#change({ daemon: processId(child.pid!) })
    try {
      await this.#untilReady(AbortSignal.any([signal, timeoutSignal(READY_MS)]))
    } catch (error) {
      await this.kill()
      throw error
    }
    this.#change({ program })
    return performance.now() - startedMs
  }

  async stop(signal: AbortSignal): Promise<void> {
    const { daemon } = this.#made
    if (daemon === undefined || !sendSignal(daemon, 'SIGTERM')) return
    if (!(await untilEnded(daemon, STOP_MS, signal))) await endProcess(daemon)
  }

  async kill(): Promise<void> {
    const { daemon } = this.#made
    if (daemon !== undefined) await endProcess(daemon)
  }

  async pause(): Promise<void> {
    this.#signal('SIGSTOP')
    // A thread that is in the kernel stops when it comes out of it.
    const signal = timeoutSignal(PAUSE_MS)
    while ((await this.state()) === 'running') await wait(POLL_MS, undefined, { signal })
  }

  async resume(): Promise<void> {
    this.#signal('SIGCONT')
  }

  async beside(command: readonly string[]): Promise<BesideProcess> {
    return await besideOf(this.#spawn(onThisMachine(command), { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  get #made(): MadeNode {
    return this.#modules.store.made.nodes[this.name]!
  }

  #change(change: Partial<MadeNode>): void {
    this.#modules.store.change(({ nodes }) => ({
      nodes: { ...nodes, [this.name]: { ...nodes[this.name]!, ...change } }
    }))
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
        const said = JSON.parse(line[0]!) as ReadyLine & { error?: { code: string; message: string } }
        if (said.error === undefined) return
        throw new Error(`${this.name} did not start: ${said.error.code}: ${said.error.message}`)
      }
      if ((await this.state()) === 'stopped')
        throw new Error(`${this.name} did not start: ${readFileSync(this.#paths.stderr, 'utf8')}`)
      await wait(POLL_MS, undefined, { signal })
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { daemon } = this.#made
    if (daemon !== undefined) sendSignal(daemon, signal)
  }

  #spawn(command: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess {
    // `ip` becomes the command: its process is the command's.
    return spawn('ip', ['netns', 'exec', this.#modules.host.namespace, ...command], options)
  }
}
