import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { compileLink } from './compile.ts'
import { DEVICE, type Host, Namespace } from './namespace.ts'
import { type LinkCounts, type LinkSettings, PLAIN_LINK, parseCounts, setCommand } from './settings.ts'

/** The program answers at once; the rest is for a machine that is very busy. */
const ANSWER_MS = 10_000
/** Of a private range that is rarely in use; namespaces do not see the machine's own networks anyway. */
const LEFT_ADDRESS = '10.78.0.1'
const RIGHT_ADDRESS = '10.78.0.2'

/**
 * Two hosts and the link between them.
 *
 *     const hosts = await LinkedHosts.create({ delayMs: 75, lossPercent: 1 })
 *     spawn('ip', [...hosts.left.command.slice(1), 'ping', hosts.right.address])
 *     await hosts.set({ rateMbit: 10 })
 *     await hosts.remove()                  // in a finally block or an afterEach
 *
 * A process that ends without `remove` takes its link along; its namespaces are removed at its exit, or by the next `create`
 * when it was killed.
 */
export class LinkedHosts {
  readonly #left: Namespace
  readonly #right: Namespace
  readonly #program: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #onExit = (): void => this.#removeNamespaces()
  #settings: LinkSettings
  /** Commands go one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  /** `seed` says which packets are lost or late. */
  static async create(settings: Partial<LinkSettings> = {}, seed = 1): Promise<LinkedHosts> {
    const program = compileLink()
    const left = Namespace.create('left', LEFT_ADDRESS)
    let right: Namespace | undefined
    let child: ChildProcess | undefined
    try {
      right = Namespace.create('right', RIGHT_ADDRESS)
      child = spawn(program, [left.name, right.name, DEVICE, String(seed)], {
        stdio: ['pipe', 'pipe', 'inherit']
      })
      const hosts = new LinkedHosts(left, right, child, { ...PLAIN_LINK, ...settings })
      await hosts.#begin()
      return hosts
    } catch (error) {
      child?.kill('SIGKILL')
      right?.remove()
      left.remove()
      throw error
    }
  }

  private constructor(left: Namespace, right: Namespace, program: ChildProcess, settings: LinkSettings) {
    this.#left = left
    this.#right = right
    this.#program = program
    this.#settings = settings
    this.#lines = createInterface({ input: program.stdout! })[Symbol.asyncIterator]()
  }

  get left(): Host {
    return this.#left
  }

  get right(): Host {
    return this.#right
  }

  /** Changes the link for every packet that comes from now on; what is not given stays. */
  async set(settings: Partial<LinkSettings>): Promise<void> {
    this.#settings = { ...this.#settings, ...settings }
    await this.#ask(setCommand(this.#settings))
  }

  /** Nothing passes any more; packets under way are lost too. */
  async cut(): Promise<void> {
    await this.#ask('cut')
  }

  async restore(): Promise<void> {
    await this.#ask('restore')
  }

  /** From left to right, and from right to left. */
  async counts(): Promise<[LinkCounts, LinkCounts]> {
    return parseCounts(await this.#ask('count'))
  }

  /** Processes that still run there lose their network. */
  async remove(): Promise<void> {
    process.off('exit', this.#onExit)
    if (this.#program.exitCode === null && this.#program.signalCode === null) {
      const ended = once(this.#program, 'exit')
      this.#program.stdin!.end()
      await ended
    }
    this.#removeNamespaces()
  }

  async #begin(): Promise<void> {
    process.once('exit', this.#onExit)
    try {
      await this.#answer()
      this.#left.bringUp()
      this.#right.bringUp()
      await this.set({})
    } catch (error) {
      process.off('exit', this.#onExit)
      throw error
    }
  }

  #ask(command: string): Promise<string> {
    const answer = this.#last.then(async () => {
      this.#program.stdin!.write(`${command}\n`)
      return await this.#answer()
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #answer(): Promise<string> {
    const late = AbortSignal.timeout(ANSWER_MS)
    const { value, done } = await Promise.race([
      this.#lines.next(),
      once(late, 'abort').then(() => {
        throw new Error(`the link program did not answer within ${ANSWER_MS} ms`)
      })
    ])
    if (done === true) throw new Error('the link program has ended')
    return value
  }

  #removeNamespaces(): void {
    this.#left.remove()
    this.#right.remove()
  }
}
