/** The faults that a network has at the moment, and the record of all that it had. Whoever makes one calls `revertAll` at the end. */
import { type Clock, toCatalogError } from '../../base/index.ts'
import type { Hooks, RunningNetwork } from '../drivers/driver.ts'
import type { FaultResult } from '../scenarios/result.ts'
import { applyFault, REVERT_MS, type Revert } from './catalogue.ts'
import { describeFault, type Fault } from './fault.ts'

export interface ActiveFault {
  readonly fault: Fault
  readonly revert: Revert
  readonly result: Writable<FaultResult>
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

  constructor({ network, clock }: { network: RunningNetwork; clock: Clock }) {
    this.#network = network
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
  }

  get results(): readonly FaultResult[] {
    return this.#results
  }

  async apply(fault: Fault, signal: AbortSignal): Promise<ActiveFault> {
    const result = {
      kind: fault.kind,
      description: describeFault(fault),
      appliedAtMs: this.#sinceStartMs()
    }
    const revert = await applyFault({ network: this.#network, hooks: this.#hooks }, fault, signal)
    const active = { fault, revert, result }
    this.#results.push(result)
    this.#active.push(active)
    return active
  }

  /** Takes one back; the second time nothing happens. */
  async revert(active: ActiveFault, signal: AbortSignal): Promise<void> {
    if (!this.#active.includes(active)) return
    this.#active = this.#active.filter(other => other !== active)
    try {
      await active.revert(signal)
      active.result.revertedAtMs = this.#sinceStartMs()
    } catch (error) {
      active.result.error = toCatalogError(error).message
      throw error
    }
  }

  /** Takes all back, the last first, each whatever became of the others. Throws the first error at the end. */
  async revertAll(): Promise<void> {
    const errors: unknown[] = []
    for (const active of this.#active.toReversed())
      await this.revert(active, AbortSignal.timeout(REVERT_MS)).catch(error => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }

  #sinceStartMs(): number {
    return Math.round(this.#clock.monotonicMs() - this.#startedMs)
  }
}
