/** Asks every node how it is, again and again, into its history. */
import { Worker } from 'node:worker_threads'
import { type Clock, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import type { RunningNetwork, RunningNode } from '../drivers/driver.ts'
import { sampleOf } from './exposition.ts'
import type { FaultRun } from './fault-run.ts'
import { NodeHistory } from './history.ts'
import { isUnexpected } from './judge.ts'
import { Series } from './series.ts'

/** Often enough to see a process that ended by itself before a fault starts it again. */
const EVERY_MS = 5 * SECOND_MS
/** A node that is held up by a fault answers later, or not. */
const ANSWER_MS = 4 * SECOND_MS
/** Messages of errors that no node may have; the first ones say what is wrong. */
const MAX_MESSAGES = 20

export class Watch {
  readonly histories: readonly NodeHistory[]
  /** How late the event loop of a thread was that has little to do. */
  readonly referenceLoop = new Series()
  /** What logs told of errors that are defects, as their nodes keep them. */
  readonly messages: string[] = []
  readonly #network: RunningNetwork
  readonly #faults: FaultRun
  readonly #clock: Clock
  readonly #startMs: number
  readonly #seenDefects = new Map<string, number>()

  constructor({ network, faults, clock }: { network: RunningNetwork; faults: FaultRun; clock: Clock }) {
    this.#network = network
    this.#faults = faults
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
    this.histories = network.nodes.map(({ name }) => new NodeHistory(name))
  }

  get sinceStartMs(): number {
    return this.#clock.monotonicMs() - this.#startMs
  }

  /** Looks until the work is done, and once more then. */
  async during<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const done = new AbortController()
    const end = AbortSignal.any([signal, done.signal])
    const reference = new Worker(new URL('./reference-thread.ts', import.meta.url))
    reference.on('message', (p99Ms: number) => this.referenceLoop.add(this.sinceStartMs, p99Ms))
    const looking = this.#lookOn(end)
    try {
      return await Promise.race([work, looking])
    } finally {
      done.abort()
      await looking.catch(() => undefined)
      await reference.terminate()
    }
  }

  async lookAtAll(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#network.nodes.map((node, at) => this.#look(node, this.histories[at]!, signal)))
  }

  /** Never resolves; rejects with the signal's reason. */
  async #lookOn(end: AbortSignal): Promise<never> {
    for (;;) {
      await this.lookAtAll(end)
      await this.#clock.wait(EVERY_MS, end)
    }
  }

  async #look(node: RunningNode, history: NodeHistory, signal: AbortSignal): Promise<void> {
    const wasDown = this.#faults.isDown(node.name)
    const state = await node.state()
    const isDown = wasDown || this.#faults.isDown(node.name)
    if (state === 'stopped' && !isDown)
      history.addEnd(`stopped by itself, seen ${this.#minutes()} min after the start`)
    if (state !== 'running' || isDown) return
    const end = AbortSignal.any([signal, timeoutSignal(ANSWER_MS)])
    const text = await node.ask({ method: 'GET', path: '/metrics' }, end).catch(() => undefined)
    signal.throwIfAborted()
    // It is killed, paused or slow at this moment: the next look, and its state, say more.
    if (text?.status !== 200) return
    const { loopP99Ms, ...sample } = sampleOf(text.bytes.toString())
    const isLoopJudged = !this.#faults.isSlowed(node.name)
    history.add({ atMs: this.sinceStartMs, ...sample, ...(isLoopJudged && { loopP99Ms }) })
    await this.#askWhy(node, history, end)
  }

  /** Of a defect that its log has told of since the last look. */
  async #askWhy(node: RunningNode, history: NodeHistory, signal: AbortSignal): Promise<void> {
    const counts = Object.entries(history.errors()).filter(([code]) => isUnexpected(code))
    const defects = counts.reduce((sum, [, count]) => sum + count, 0)
    if (defects <= (this.#seenDefects.get(node.name) ?? 0)) return
    this.#seenDefects.set(node.name, defects)
    const answer = await node.ask({ method: 'GET', path: '/v1/log/errors' }, signal).catch(() => undefined)
    const errors: Array<{ code: string; part: string; message: string }> = answer?.json?.errors ?? []
    for (const { code, part, message } of errors.filter(error => isUnexpected(error.code)))
      if (this.messages.length < MAX_MESSAGES)
        this.messages.push(`${node.name}, ${part}: ${code}: ${message}`)
  }

  #minutes(): string {
    return (this.sinceStartMs / 60_000).toFixed(1)
  }
}
