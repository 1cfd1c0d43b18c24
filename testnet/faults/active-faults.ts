/** The faults that a network has at the moment, and the record of all that it had. Whoever makes one calls `revertAll` at the end. */
import { type Clock, timeoutSignal, toCatalogError } from '../../base/index.ts'
import type { Hooks, RunningNetwork } from '../drivers/driver.ts'
import type { FaultResult } from '../scenarios/result.ts'
import { applyFault, REVERT_MS, type Revert } from './catalogue.ts'
import { describeFault, type Fault } from './fault.ts'

export interface ActiveFault {
  readonly revert: Revert
  readonly result: Writable<FaultResult>
  /** Under way. */
  reverting?: Promise<void>
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export class ActiveFaults {
  readonly #network: RunningNetwork
  readonly #clock: Clock
  readonly #startedMs: number
  readonly #hooks = new Map<string, Hooks>()
  readonly #results: Array<Writable<FaultResult>> = []
  /** In the order in which they came. */
  #active: ActiveFault[] = []
  /** Being given. */
  readonly #applying = new Set<Promise<ActiveFault>>()

  constructor({ network, clock }: { network: RunningNetwork; clock: Clock }) {
    this.#network = network
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
  }

  get results(): readonly FaultResult[] {
    return this.#results
  }

  async apply(fault: Fault, signal: AbortSignal): Promise<ActiveFault> {
    // A step that was ended in the middle may go on.
    signal.throwIfAborted()
    const applying = this.#apply(fault, signal)
    this.#applying.add(applying)
    return await applying.finally(() => this.#applying.delete(applying))
  }

  /** Takes one back; the second time nothing happens, unless the first has failed. */
  async revert(active: ActiveFault, signal: AbortSignal): Promise<void> {
    while (active.reverting !== undefined) await active.reverting.catch(() => undefined)
    if (!this.#active.includes(active)) return
    active.reverting = this.#revert(active, signal)
    await active.reverting.finally(() => {
      delete active.reverting
    })
  }

  /**
   * Takes all back, the last first, each whatever became of the others; also those that a step left while they were given, or
   * taken back. Throws the first error at the end.
   */
  async revertAll(): Promise<void> {
    const late = new AbortController()
    await Promise.race([
      Promise.allSettled(this.#applying),
      this.#clock.wait(REVERT_MS, late.signal).catch(() => undefined)
    ])
    late.abort()
    const errors: unknown[] = []
    for (const active of this.#active.toReversed())
      await this.revert(active, timeoutSignal(REVERT_MS)).catch(error => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }

  async #apply(fault: Fault, signal: AbortSignal): Promise<ActiveFault> {
    const result = {
      kind: fault.kind,
      description: describeFault(fault),
      appliedAtMs: this.#sinceStartMs()
    }
    const revert = await applyFault({ network: this.#network, hooks: this.#hooks }, fault, signal)
    const active = { revert, result }
    this.#results.push(result)
    this.#active.push(active)
    return active
  }

  async #revert(active: ActiveFault, signal: AbortSignal): Promise<void> {
    const { result } = active
    try {
      await active.revert(signal)
      this.#active = this.#active.filter(other => other !== active)
      result.revertedAtMs = this.#sinceStartMs()
      delete result.error
    } catch (error) {
      result.error = toCatalogError(error).message
      throw error
    }
  }

  #sinceStartMs(): number {
    return Math.round(this.#clock.monotonicMs() - this.#startedMs)
  }
}
