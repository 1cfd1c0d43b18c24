/**
 * What happens in a node, told to whoever watches: the event stream of the admin API, the log, an embedding program.
 * Delivery is synchronous and keeps nothing, so a watcher that cannot keep up must bound its own buffer.
 */
import { CatalogError, type Clock } from '../base/index.ts'

export const EVENT_TYPES = [
  'state',
  'peer',
  'operation',
  'release',
  'library',
  'mirror',
  'partition',
  'alert',
  'anomaly',
  'tuning'
] as const
export type EventType = (typeof EVENT_TYPES)[number]

export interface NodeEvent {
  /** Grows by one with each event of this daemon's life. */
  seq: number
  type: EventType
  /** RFC 3339. */
  at: string
  /** Plain JSON. */
  data: Record<string, unknown>
}

export type EventListener = (event: NodeEvent) => void

/** Listeners at once: each client of the event stream is one. */
const MAX_LISTENERS = 256

export class EventHub {
  readonly #clock: Clock
  readonly #listeners = new Set<EventListener>()
  #seq = 0

  constructor(modules: { clock: Clock }) {
    this.#clock = modules.clock
  }

  get listeners(): number {
    return this.#listeners.size
  }

  emit(type: EventType, data: Record<string, unknown>): void {
    this.#seq++
    if (this.#listeners.size === 0) return
    const event = this.now(type, data)
    for (const listener of this.#listeners) listener(event)
  }

  /** What holds now, in the form of an event and after all events so far: how a stream of them begins. */
  now(type: EventType, data: Record<string, unknown>): NodeEvent {
    return { seq: this.#seq, type, at: new Date(this.#clock.now()).toISOString(), data }
  }

  /** Returns the function that ends it. BUSY beyond 256 listeners. */
  listen(listener: EventListener): () => void {
    if (this.#listeners.size >= MAX_LISTENERS)
      throw new CatalogError('BUSY', `${MAX_LISTENERS} clients already watch the events`)
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }
}
