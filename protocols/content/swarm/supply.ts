import { setImmediate as nextTurn } from 'node:timers/promises'
import { MIB } from '../../../base/index.ts'
import type { ReleaseWalk } from '../walk.ts'
import type { WalkWant } from '../walk-steps.ts'
import type { SwarmPlanner } from './planner.ts'

/**
 * Wants taken from the walk ahead of what is asked: enough for every window and for a choice among partial holders. A want
 * is about 400 bytes.
 */
const MAX_AHEAD_BYTES = 32 * MIB
const MAX_AHEAD_WANTS = 4096
/** Wants taken before the event loop gets its turn; each is a look-up or two in the index. */
const WANTS_PER_TURN = 64

export interface SupplyModules {
  readonly walk: Pick<ReleaseWalk, 'next' | 'phase'>
  readonly planner: SwarmPlanner<WalkWant>
  /** There is something new to ask. */
  readonly onNews: () => void
  /** Nothing is missing any more. */
  readonly onDone: () => void
  readonly onFailure: (error: unknown) => void
}

/** Takes wants from a walk to a planner, a bounded number ahead of what is asked. */
export class Supply {
  readonly #modules: SupplyModules
  readonly #signal: AbortSignal
  #filling: Promise<void> | undefined
  #fillsAgain = false

  /** The signal ends the swarm. */
  constructor(modules: SupplyModules, signal: AbortSignal) {
    this.#modules = modules
    this.#signal = signal
  }

  get isFilling(): boolean {
    return this.#filling !== undefined
  }

  /** Takes what there is, one run at a time; once more when something happened meanwhile. Does not wait for it. */
  refill(): void {
    if (this.#filling !== undefined) {
      this.#fillsAgain = true
      return
    }
    this.#filling = this.#fill()
      .catch(error => this.#modules.onFailure(error))
      .finally(() => {
        this.#filling = undefined
        if (!this.#fillsAgain || this.#signal.aborted) return
        this.#fillsAgain = false
        this.refill()
      })
  }

  /** Resolves when nothing is being taken; never rejects. */
  async settled(): Promise<void> {
    while (this.#filling !== undefined) await this.#filling
  }

  async #fill(): Promise<void> {
    const { walk, planner, onNews, onDone } = this.#modules
    for (
      let taken = 1;
      planner.waitingBytes < MAX_AHEAD_BYTES && planner.waitingCount < MAX_AHEAD_WANTS;
      taken++
    ) {
      const want = await walk.next(this.#signal)
      if (want === undefined) {
        planner.drained()
        onNews()
        if (walk.phase === 'done') onDone()
        return
      }
      planner.offer([want])
      // The first ones leave while the rest is looked up.
      onNews()
      if (taken % WANTS_PER_TURN === 0) await nextTurn()
    }
  }
}
