/** Gives a network the faults of a plan, and knows which node is under which fault: what a node does then is judged otherwise. */
import { type Clock, toCatalogError } from '../../base/index.ts'
import type { ActiveFaults } from '../faults/active-faults.ts'
import { describeFault, type Fault } from '../faults/fault.ts'
import type { ScheduledFault } from '../faults/schedule.ts'
import { endsProcess, nodeOf, SLOWED_MS, slowsNode } from './fault-plan.ts'

/** Of faults that could not be given or taken back; one is enough to fail. */
const MAX_PROBLEMS = 20

export class FaultRun {
  /** What could not be given or taken back, and why. */
  readonly problems: string[] = []
  readonly #faults: ActiveFaults
  readonly #clock: Clock
  readonly #active = new Set<Fault>()
  /** When the event loop of a node is its own again. */
  readonly #slowUntilMs = new Map<string, number>()
  readonly #ends = new Map<string, number>()

  constructor({ faults, clock }: { faults: ActiveFaults; clock: Clock }) {
    this.#faults = faults
    this.#clock = clock
  }

  /** Resolves when the last has gone. One that fails is a problem, and no reason to give up the hours that are left. */
  async run(plan: readonly ScheduledFault[], signal: AbortSignal): Promise<void> {
    await Promise.all(plan.map(one => this.#give(one, signal)))
  }

  /** Whether its process is to be gone, or may be. */
  isDown(node: string): boolean {
    return [...this.#active].some(fault => endsProcess(fault) && nodeOf(fault) === node)
  }

  /** Whether a fault has held up its event loop within the last minutes. */
  isSlowed(node: string): boolean {
    return (
      [...this.#active].some(fault => slowsNode(fault) && nodeOf(fault) === node) ||
      (this.#slowUntilMs.get(node) ?? 0) > this.#clock.monotonicMs()
    )
  }

  /** How often its process was ended. */
  endsOf(node: string): number {
    return this.#ends.get(node) ?? 0
  }

  async #give({ atMs, forMs, fault }: ScheduledFault, signal: AbortSignal): Promise<void> {
    await this.#clock.wait(atMs, signal)
    const node = nodeOf(fault) ?? ''
    this.#active.add(fault)
    if (endsProcess(fault)) this.#ends.set(node, this.endsOf(node) + 1)
    try {
      const active = await this.#faults.apply(fault, signal)
      await this.#clock.wait(forMs, signal)
      await this.#faults.revert(active, signal)
    } catch (error) {
      // Whoever runs this takes back what is left when it is interrupted.
      signal.throwIfAborted()
      if (this.problems.length < MAX_PROBLEMS)
        this.problems.push(`${describeFault(fault)}: ${toCatalogError(error).message}`)
    } finally {
      this.#active.delete(fault)
      if (slowsNode(fault)) this.#slowUntilMs.set(node, this.#clock.monotonicMs() + SLOWED_MS)
    }
  }
}
