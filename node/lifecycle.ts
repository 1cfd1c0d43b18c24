/**
 * The states of a node and the steps between them. Pure: it starts and stops nothing, it only says what is allowed and
 * tells observers. The daemon asks it before each step, so two requests to pause, or a resume during a shutdown, cannot
 * interleave.
 *
 *     initializing -> running <-> paused
 *          |             |          |
 *          +--------> shutting-down <+ -> stopped
 *     any but stopped -> error -> shutting-down
 */
import { CatalogError } from '../base/index.ts'

export const NODE_STATES = ['initializing', 'running', 'paused', 'shutting-down', 'stopped', 'error'] as const
export type NodeState = (typeof NODE_STATES)[number]

/** Where each state may lead; everything else is refused. A node that stopped is not started again: make a new one. */
export const TRANSITIONS: Readonly<Record<NodeState, readonly NodeState[]>> = {
  initializing: ['running', 'shutting-down', 'error'],
  running: ['paused', 'shutting-down', 'error'],
  paused: ['running', 'shutting-down', 'error'],
  'shutting-down': ['stopped', 'error'],
  stopped: [],
  error: ['shutting-down', 'stopped']
}

export interface StateChange {
  from: NodeState
  to: NodeState
  /** Why, in words for a log line: `requested`, `SIGTERM`, a message of an error. */
  reason: string
}

export type StateObserver = (change: StateChange) => void

/** Observers at once; they are the daemon's own parts, so more than this is a leak. */
const MAX_OBSERVERS = 64

export class Lifecycle {
  #state: NodeState = 'initializing'
  readonly #observers = new Set<StateObserver>()

  get state(): NodeState {
    return this.#state
  }

  /** Goes to `to` and tells the observers. STATE_REFUSED (details: from, to) when the table does not allow it. */
  transition(to: NodeState, reason: string): void {
    const from = this.#state
    if (!TRANSITIONS[from].includes(to))
      throw new CatalogError('STATE_REFUSED', `the node is ${from} and cannot become ${to}`, {
        details: { from, to }
      })
    this.#state = to
    for (const observer of this.#observers) observer({ from, to, reason })
  }

  /** Throws unless the node is in one of `states`; SHUTTING_DOWN has a code of its own, as clients wait for it. */
  require(states: readonly NodeState[], action: string): void {
    if (states.includes(this.#state)) return
    if (this.#state === 'shutting-down' || this.#state === 'stopped')
      throw new CatalogError('SHUTTING_DOWN', `the node is ${this.#state}: it does not ${action}`)
    throw new CatalogError('STATE_REFUSED', `the node is ${this.#state}: it does not ${action}`, {
      details: { state: this.#state, action }
    })
  }

  /** Returns the function that ends the observation. An observer must not throw: it has no caller to tell. */
  observe(observer: StateObserver): () => void {
    if (this.#observers.size >= MAX_OBSERVERS)
      throw new CatalogError('INTERNAL', `more than ${MAX_OBSERVERS} observers of the state`)
    this.#observers.add(observer)
    return () => {
      this.#observers.delete(observer)
    }
  }
}
