/** The test's end of the process of hostile peers. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestDaemon } from '../support.ts'
import type { AttackKind, AttackResult } from './hostile-attacks.ts'
import type { HostileRelease, JoinArgs, ReleaseArgs } from './hostile-peers.ts'

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** Starts and asks hostile peers, which live in a process of their own. */
export class Hostile {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  static async start(): Promise<Hostile> {
    const child = fork(join(import.meta.dirname, 'hostile-peer.child.ts'), { stdio: 'inherit' })
    await once(child, 'message')
    return new Hostile(child)
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ id, result, error }: { id: number; result: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(`the hostile process failed: ${error}`))
    })
  }

  async join(daemon: TestDaemon, lies: Omit<JoinArgs, 'target'> = {}): Promise<HostilePeer> {
    const args: JoinArgs = { target: daemon.address, ...lies }
    const { number, peerId } = (await this.call('join', args)) as { number: number; peerId: string }
    return new HostilePeer(this, number, peerId)
  }

  async release(args: ReleaseArgs): Promise<HostileRelease> {
    return (await this.call('release', args)) as HostileRelease
  }

  async call(method: string, args: unknown): Promise<unknown> {
    const id = ++this.#lastId
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#child.send({ id, method, args })
    return await answer
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}

/** One peer of the process. */
export class HostilePeer {
  readonly peerId: string
  readonly #hostile: Hostile
  readonly #number: number

  constructor(hostile: Hostile, number: number, peerId: string) {
    this.#hostile = hostile
    this.#number = number
    this.peerId = peerId
  }

  /** Claims at its daemon to hold a name. */
  async announce(name: string): Promise<void> {
    await this.#hostile.call('announce', { number: this.#number, name })
  }

  async attack(kind: AttackKind, record: string): Promise<AttackResult> {
    return (await this.#hostile.call('attack', { number: this.#number, kind, record })) as AttackResult
  }
}
