import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { compileLink } from './compile.ts'
import { type LinkCounts, type LinkSettings, PLAIN_LINK, parseCounts, setCommand } from './settings.ts'

/** The program answers at once; the rest is for a machine that is very busy. */
const ANSWER_MS = 10_000

export interface LinkEnds {
  /** Names of namespaces. */
  readonly left: string
  readonly right: string
  /** Name of the device that each of them gets. */
  readonly device: string
}

/** The link between two namespaces: a program that carries what comes out of one device into the other. */
export class Link {
  readonly #program: ChildProcess
  readonly #lines: AsyncIterator<string>
  #settings: LinkSettings = PLAIN_LINK
  /** Commands go one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  /** The devices are there when it resolves, and down. `seed` says which packets are lost or late. */
  static async open({ left, right, device }: LinkEnds, seed = 1): Promise<Link> {
    const args = [left, right, device, String(seed)]
    const program = spawn(compileLink(), args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const link = new Link(program)
    try {
      await link.#answer()
      return link
    } catch (error) {
      program.kill('SIGKILL')
      throw error
    }
  }

  private constructor(program: ChildProcess) {
    this.#program = program
    this.#lines = createInterface({ input: program.stdout! })[Symbol.asyncIterator]()
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

  /** The devices go with it. */
  async close(): Promise<void> {
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return
    const ended = once(this.#program, 'exit')
    this.#program.stdin!.end()
    await ended
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
}
