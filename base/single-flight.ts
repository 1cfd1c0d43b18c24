import { assertWholeNumber } from './assert.ts'
import { CatalogError } from './errors.ts'
import { untilAborted } from './until-aborted.ts'

interface Flight<V> {
  readonly promise: Promise<V>
  readonly abort: AbortController
  callers: number
}

export interface SingleFlightOptions {
  /** What is asked for, for the message of BUSY. */
  readonly name: string
  /** Different keys in flight at once; beyond it BUSY. */
  readonly maxKeys: number
}

/**
 * Callers that ask for the same key at the same time share one call. Each caller's signal ends only its own wait; when
 * the last one has left, the shared call is aborted through the signal it was given. Results are not kept afterwards.
 */
export class SingleFlight<K, V> {
  readonly #flights = new Map<K, Flight<V>>()
  readonly #options: SingleFlightOptions

  constructor(options: SingleFlightOptions) {
    assertWholeNumber(options.maxKeys, 1, 'maxKeys')
    this.#options = options
  }

  /** Keys in flight. */
  get size(): number {
    return this.#flights.size
  }

  /** Joins the call for `key`, or starts it with `fn`. */
  async run(key: K, fn: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal): Promise<V> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, fn)
    flight.callers++
    try {
      return await untilAborted(flight.promise, signal)
    } finally {
      flight.callers--
      if (flight.callers === 0) this.#end(key, flight)
    }
  }

  #start(key: K, fn: (signal: AbortSignal) => Promise<V>): Flight<V> {
    const { name, maxKeys } = this.#options
    if (this.#flights.size >= maxKeys)
      throw new CatalogError('BUSY', `${name}: ${maxKeys} keys in flight is the limit`, {
        details: { name, maxKeys }
      })
    const abort = new AbortController()
    const call = async (): Promise<V> => await fn(abort.signal)
    const flight: Flight<V> = { promise: call(), abort, callers: 0 }
    const settled = (): void => this.#forget(key, flight)
    // Both arms are handled here, so a call whose callers all left never becomes an unhandled rejection.
    flight.promise.then(settled, settled)
    this.#flights.set(key, flight)
    return flight
  }

  /** The last caller left before the answer came: stop the call; whoever asks from now on starts anew. */
  #end(key: K, flight: Flight<V>): void {
    if (this.#flights.get(key) !== flight) return
    this.#forget(key, flight)
    flight.abort.abort(
      new CatalogError('ABORTED', `${this.#options.name}: nobody waits for the answer any more`)
    )
  }

  #forget(key: K, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
