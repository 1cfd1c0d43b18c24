/** What the crash rounds share: two nodes, a folder for sources and targets, how long things take, and what was acknowledged. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MIB } from '../../../base/index.ts'
import { differences, type Files, sizeOf } from './content.ts'
import type { TestNode } from './node.ts'
import type { Random } from './random.ts'

export type Victim = 'publisher' | 'consumer' | 'command' | 'worker'
/** Where the kill fell: before the work was acknowledged, or when it was. */
export type Outcome = 'interrupted' | 'acknowledged'

export interface Round {
  readonly number: number
  readonly victim: Victim
  readonly random: Random
}

/** Kills come anywhere from the beginning to a little after the usual end. */
const BEYOND_END = 1.15
const LEAST_SIZE_BYTES = 8 * MIB
const MOST_SIZE_BYTES = 40 * MIB

export class CrashStage {
  readonly publisher: TestNode
  readonly consumer: TestNode
  readonly folder: string
  /** Time from spawn to ready line of every restart after a kill. */
  readonly readyMs: number[] = []
  /** When the kill of the round that runs was sent, after the beginning of the work. */
  killedAfterMs = 0
  /** Start of the command line, until it asks the daemon. */
  commandMs = 0
  /** Milliseconds for each MiB, as measured without kills. */
  readonly #paceMs = new Map<string, number>()

  constructor(nodes: { publisher: TestNode; consumer: TestNode }, folder: string) {
    this.publisher = nodes.publisher
    this.consumer = nodes.consumer
    this.folder = folder
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Small ones are as frequent as it takes to make a hundred rounds quick. */
  randomSize(random: Random): number {
    return Math.floor(LEAST_SIZE_BYTES + (MOST_SIZE_BYTES - LEAST_SIZE_BYTES) * random.fraction() ** 3)
  }

  learnPace(work: string, files: Files, tookMs: number): void {
    this.#paceMs.set(work, tookMs / (sizeOf(files) / MIB))
  }

  /** Waits until a random moment of the work, which begins now after `startMs`. */
  async untilKill(work: string, files: Files, random: Random, startMs = 0): Promise<void> {
    const usualMs = (this.#paceMs.get(work) ?? 0) * (sizeOf(files) / MIB)
    this.killedAfterMs = Math.round(startMs + random.fraction() * usualMs * BEYOND_END)
    await delay(this.killedAfterMs)
  }

  /** Starts a daemon that was killed again, and connects it to the other one. */
  async restart(node: TestNode): Promise<void> {
    this.readyMs.push(await node.start())
    await node.connectTo(node === this.consumer ? this.publisher : this.consumer)
  }

  /** Drops connections to an earlier life of the publisher, which would last until their idle time-out, for a new one. */
  async reconnect(): Promise<void> {
    await this.consumer.daemon.api('DELETE', `/v1/peers/${this.publisher.daemon.peerId}`)
    await this.consumer.connectTo(this.publisher)
  }

  /** Throws unless the node gives out exactly these bytes for a content. */
  async expectBytes(node: TestNode, content: string, files: Files): Promise<void> {
    const answer = await node.daemon.api('GET', `/v1/contents/${content}/tar`)
    if (answer.status !== 200) throw new Error(`the content is not served: ${answer.bytes.toString()}`)
    const status = answer.trailers['x-catalog-status']
    if (status !== 'ok') throw new Error(`the content broke off: ${status}`)
    const found = await differences(answer.bytes, files)
    if (found.length > 0) throw new Error(`corrupt bytes were served: ${found.join('; ')}`)
  }
}
