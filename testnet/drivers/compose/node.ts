/** A node in a container. Its home is a folder of this machine that the container has as a volume. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { MINUTE_MS, timeoutSignal, toCatalogError } from '../../../base/index.ts'
import type { NodePlan } from '../../network/plan.ts'
import { besideOf, LAST_WORDS_MS, onThisMachine } from '../beside.ts'
import type { BesideProcess, CommandEnd, NodeState, RunningNode, StartOptions } from '../driver.ts'
import { commandEnd, LocalNode } from '../local-node.ts'
import { end, insideNetworkOf, processOf, run } from './engine.ts'
import { containerOf, HOME_THERE, type MadeStore, pathsOf } from './made.ts'

/** A daemon is ready in a fraction of a second; the rest is for a machine that has ten times more to do than it has cores. */
const READY_MS = 3 * MINUTE_MS
const POLL_MS = 50
/** A daemon promises ten. */
const STOP_SECONDS = 12
/** Of what a container said, for who asks why it did not start. */
const LAST_LINES = 20

export interface NodeModules {
  readonly store: MadeStore
  readonly address: string
  /** Makes its container anew, of another image. */
  readonly create: (signal: AbortSignal) => Promise<void>
  /** Puts what links are like into the network of its container, which has begun as a new one. */
  readonly shape: () => Promise<void>
}

export class ComposeNode extends LocalNode implements RunningNode {
  readonly #modules: NodeModules

  constructor(plan: NodePlan, modules: NodeModules) {
    super(plan, { driver: 'compose', paths: pathsOf(modules.store.folder).node(plan.name) })
    this.#modules = modules
  }

  get peerId(): string {
    return this.#modules.store.made.nodes[this.name]!.peerId
  }

  get address(): string {
    return `${this.#modules.address}/p2p/${this.peerId}`
  }

  async state(): Promise<NodeState> {
    const { code, stdout } = await end(['docker', 'inspect', '-f', '{{.State.Status}}', this.#container])
    const status = code === 0 ? stdout.trim() : 'none'
    return status === 'running' || status === 'paused' ? status : 'stopped'
  }

  /** Of a node that is stopped in a container of its own, without a network. */
  async catalog(args: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
    const { folder, made } = this.#modules.store
    const volume = `${pathsOf(folder).node(this.name).home}:${HOME_THERE}`
    // What is true for the daemon alone (NODE_OPTIONS) is not meant for the command.
    const there =
      (await this.state()) === 'stopped'
        ? ['run', '--rm', '--network', 'none', '-v', volume, made.nodes[this.name]!.image]
        : ['exec', '-e', 'NODE_OPTIONS=', this.#container]
    const { code, stdout } = await end(['docker', ...there, 'catalog', ...args, '--json'], { signal })
    return commandEnd(code, stdout)
  }

  async start({ program }: StartOptions, signal: AbortSignal): Promise<number> {
    const { image } = this.#modules.store.made.nodes[this.name]!
    try {
      if (program !== undefined) await this.#become(program, signal)
      const startedMs = performance.now()
      await run(['docker', 'start', this.#container], { signal })
      await this.#modules.shape()
      await this.#untilReady(AbortSignal.any([signal, timeoutSignal(READY_MS)]))
      return performance.now() - startedMs
    } catch (error) {
      await this.kill()
      if (program !== undefined) await this.#become(image, timeoutSignal(READY_MS))
      throw error
    }
  }

  async stop(signal: AbortSignal): Promise<void> {
    if ((await this.state()) === 'stopped') return
    await run(['docker', 'stop', '-t', String(STOP_SECONDS), this.#container], { signal })
  }

  async kill(): Promise<void> {
    if ((await this.state()) === 'stopped') return
    const { code, stderr } = await end(['docker', 'kill', this.#container])
    // It may have ended by itself meanwhile.
    if (code !== 0 && (await this.state()) !== 'stopped') throw new Error(stderr)
    await run(['docker', 'wait', this.#container])
  }

  async pause(): Promise<void> {
    if ((await this.state()) === 'running') await run(['docker', 'pause', this.#container])
  }

  async resume(): Promise<void> {
    if ((await this.state()) === 'paused') await run(['docker', 'unpause', this.#container])
  }

  async beside(command: readonly string[], { isOfTestnet = false } = {}): Promise<BesideProcess> {
    return isOfTestnet ? await this.#besideInNetwork(command) : await this.#besideInContainer(command)
  }

  /** The image has nothing of this tree: of the container it has the network only. */
  async #besideInNetwork(command: readonly string[]): Promise<BesideProcess> {
    const pid = await processOf(this.#container)
    if (pid === 0) throw new Error(`${this.name} does not run, so nothing can be started beside it`)
    const words = [...insideNetworkOf(pid), ...onThisMachine(command)]
    return await besideOf(spawn(words[0]!, words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  /** With its network, its limits and its end. */
  async #besideInContainer(command: readonly string[]): Promise<BesideProcess> {
    const container = this.#container
    const child = spawn(
      'docker',
      ['exec', '-i', '-e', 'NODE_OPTIONS=', container, 'sh', '-c', 'echo $$ && exec "$@"', 'sh', ...command],
      { stdio: ['pipe', 'pipe', 'inherit'] }
    )
    const ended = once(child, 'close')
    // It may have ended by itself when something is written to it.
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { value: pid, done } = await lines.next()
    if (done) throw new Error(`nothing can be started beside ${this.name}`)
    return {
      lines: { [Symbol.asyncIterator]: () => lines },
      write: line => void child.stdin.write(`${line}\n`),
      async end() {
        // Its number may be another's by now.
        if (child.exitCode !== null || child.signalCode !== null) return
        // Of the command `docker` only: what it has started would go on.
        const tell = (signal: string) =>
          end(['docker', 'exec', container, 'sh', '-c', `kill -${signal} ${Number(pid)}`])
        await tell('TERM')
        const late = setTimeout(tell, LAST_WORDS_MS, 'KILL')
        await ended
        clearTimeout(late)
      }
    }
  }

  get #container(): string {
    return containerOf(this.#modules.store.made, this.name)
  }

  /** A container of that image. */
  async #become(image: string, signal: AbortSignal): Promise<void> {
    const { store, create } = this.#modules
    store.change(({ nodes }) => ({ nodes: { ...nodes, [this.name]: { ...nodes[this.name]!, image } } }))
    await create(signal)
  }

  /** Until it answers on its socket. */
  async #untilReady(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        const { status } = await this.ask({ method: 'GET', path: '/v1/status' }, signal)
        if (status === 200) return
      } catch (error) {
        if (toCatalogError(error).code !== 'NO_DAEMON') throw error
      }
      if ((await this.state()) === 'stopped') {
        const { stdout, stderr } = await end([
          'docker',
          'logs',
          '--tail',
          String(LAST_LINES),
          this.#container
        ])
        throw new Error(`${this.name} did not start: ${stdout}${stderr}`)
      }
      await wait(POLL_MS, undefined, { signal })
    }
  }
}
