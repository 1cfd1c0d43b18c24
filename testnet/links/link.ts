import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { timeoutSignal } from '../../base/index.ts'
import { compileLink } from './compile.ts'
import { attachTo, type Channel, endDetached, startDetached } from './detached-link.ts'
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
  readonly #channel: Channel
  #settings: LinkSettings = PLAIN_LINK
  /** Commands go one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  /** The devices are there when it resolves, and down. `seed` says which packets are lost or late. */
  static async open(ends: LinkEnds, seed = 1): Promise<Link> {
    const program = spawn(compileLink(), argumentsOf(ends, seed), { stdio: ['pipe', 'pipe', 'inherit'] })
    return await Link.#started(new Link(pipesTo(program)))
  }

  /** The same, and it goes on when this process ends: others command it through named pipes in the folder, one at a time. */
  static async openDetached(ends: LinkEnds, seed: number, folder: string): Promise<Link> {
    return await Link.#started(new Link(startDetached(folder, ends.device, argumentsOf(ends, seed))))
  }

  /** One that `openDetached` has made there, and what it is set to. */
  static attach(folder: string, device: string, settings: LinkSettings): Link {
    const link = new Link(attachTo(folder, device))
    link.#settings = settings
    return link
  }

  /** Ends all links of a folder, whoever has opened them. */
  static async closeAll(folder: string): Promise<void> {
    await endDetached(folder)
  }

  private constructor(channel: Channel) {
    this.#channel = channel
  }

  static async #started(link: Link): Promise<Link> {
    try {
      await link.#answer()
      return link
    } catch (error) {
      await link.close()
      throw error
    }
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
    await this.#channel.end()
  }

  /** Lets go of a detached one, which goes on. */
  release(): void {
    this.#channel.release()
  }

  #ask(command: string): Promise<string> {
    const answer = this.#last.then(async () => {
      this.#channel.write(command)
      return await this.#answer()
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #answer(): Promise<string> {
    const late = timeoutSignal(ANSWER_MS)
    const { value, done } = await Promise.race([
      this.#channel.lines.next(),
      once(late, 'abort').then(() => {
        throw new Error(`the link program did not answer within ${ANSWER_MS} ms`)
      })
    ])
    if (done === true) throw new Error('the link program has ended')
    return value
  }
}

const argumentsOf = ({ left, right, device }: LinkEnds, seed: number): string[] => [
  left,
  right,
  device,
  String(seed)
]

/** The program ends when its standard input does. */
function pipesTo(program: ChildProcess): Channel {
  return {
    lines: createInterface({ input: program.stdout! })[Symbol.asyncIterator](),
    write: line => program.stdin!.write(`${line}\n`),
    async end() {
      if (program.exitCode !== null || program.signalCode !== null) return
      const ended = once(program, 'exit')
      program.stdin!.end()
      await ended
    },
    release: () => undefined
  }
}
