/** Both directions, the limits they hold, and what an operator changes while the node runs. */
import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, partMetrics, SECOND_MS } from '../../base/index.ts'
import { bucketOf, Gate, type Limit } from './gate.ts'
import type { Priority } from './priority.ts'
import { type ClassRate, type Direction, type RateWindow, rateAt } from './windows.ts'

/** Rates in bytes a second each way; 0 is no limit. */
export type Rates = Readonly<Record<Direction, number>>

export interface ThrottleOptions {
  /** All peers together, outside the windows. */
  readonly total: Rates
  readonly windows: readonly RateWindow[]
  readonly perPeer: Rates
  /** Classes without an entry have no limit of their own. */
  readonly classes: readonly ClassRate[]
  /** Bytes that may go at once before a rate holds. */
  readonly burst: number
  /** Whether peers at private addresses are under these limits too. */
  readonly isPrivateLimited: boolean
}

/** A limit that was set for one peer while the node runs. What is absent is as configured. */
export interface LiveLimit {
  /** Bytes a second; 0 is no limit. */
  readonly up?: number
  readonly down?: number
  readonly burst?: number
}

/** The limits in force: bytes a second, 0 is none, and bytes. */
export interface EffectiveLimits {
  readonly up: number
  readonly down: number
  readonly burst: number
  /** Whether they were set for this peer, beside the configuration. */
  readonly isSet: boolean
}

/** Has bytes wait for their turn in one direction. */
export interface Budget {
  /** Largest piece to ask for; undefined while this peer is not limited. */
  sliceBytes(peerId: string, priority: Priority): number | undefined
  /** How many transfers at once are not too slow each: of this peer, and of all. Infinity without a limit. */
  places(peerId: string): { ofPeer: number; total: number }
  /**
   * Resolves when so many bytes may move: before they are sent, or before they are asked for. BUSY (details:
   * retryAfterMs) when too much waits already; the signal's reason when it aborts.
   */
  take(peerId: string, priority: Priority, bytes: number, signal?: AbortSignal): Promise<void>
}

export interface Throttle {
  readonly upload: Budget
  readonly download: Budget
  /** Limits of one peer from now on, whatever its address; undefined for the configured ones. */
  limitPeer(peerId: string, limit: LiveLimit | undefined): void
  /** What is configured, from now on; transfers under way go on at the new rates. */
  configure(options: ThrottleOptions): void
  ofPeer(peerId: string): EffectiveLimits
  /** Rates of all peers together at this moment, by the windows. */
  ofAll(): Rates
}

export interface ThrottleModules {
  readonly clock: Clock
  /** Whether a peer is connected from private or loopback addresses only. */
  readonly isPrivate: (peerId: string) => boolean
  /** Share of a peer beside others of its class in what is sent; 1 for everybody unless given. What is asked for is shared equally. */
  readonly weightOf?: (peerId: string) => number
  readonly metrics?: MetricsRegistry
}

export function createThrottle(modules: ThrottleModules, options: ThrottleOptions): Throttle {
  return new NodeThrottle(modules, options)
}

class NodeThrottle implements Throttle {
  readonly upload: Gate
  readonly download: Gate
  readonly #modules: ThrottleModules
  readonly #peers = new Map<string, LiveLimit>()
  #options: ThrottleOptions

  constructor(modules: ThrottleModules, options: ThrottleOptions) {
    this.#modules = modules
    this.#options = options
    const metrics = partMetrics(modules.metrics, 'throttle')
    const taken = metrics.counter('passed_bytes_total')
    const waited = metrics.counter('waited_seconds_total')
    const busy = metrics.counter('busy_refusals_total')
    const gate = (direction: Direction): Gate =>
      new Gate({
        clock: modules.clock,
        ...(modules.weightOf === undefined || direction === 'down' ? {} : { weightOf: modules.weightOf }),
        limits: {
          total: () => this.#total(direction),
          class: priority => this.#class(direction, priority),
          peer: peerId => this.#peer(direction, peerId),
          isLimited: peerId => this.#isUnderConfig(peerId)
        },
        onTaken: (priority, bytes, waitedMs) => {
          taken.inc({ direction, priority }, bytes)
          waited.inc({ direction, priority }, waitedMs / SECOND_MS)
        },
        onBusy: () => busy.inc({ direction })
      })
    this.upload = gate('up')
    this.download = gate('down')
    metrics.gauge('upload_waiting_pieces', () => this.upload.waiting)
    metrics.gauge('download_waiting_pieces', () => this.download.waiting)
  }

  limitPeer(peerId: string, limit: LiveLimit | undefined): void {
    if (limit === undefined) this.#peers.delete(peerId)
    else this.#peers.set(peerId, limit)
    this.#refresh()
  }

  configure(options: ThrottleOptions): void {
    this.#options = options
    this.#refresh()
  }

  ofPeer(peerId: string): EffectiveLimits {
    const isSet = this.#peers.has(peerId)
    return effective(this.#peer('up', peerId), this.#peer('down', peerId), isSet)
  }

  ofAll(): Rates {
    return { up: this.#total('up').rate, down: this.#total('down').rate }
  }

  #total(direction: Direction): Limit {
    const { total, windows, burst } = this.#options
    return { rate: rateAt(windows, direction, this.#minute(), total[direction]), burst }
  }

  #class(direction: Direction, priority: Priority): Limit {
    const { classes, burst } = this.#options
    const found = classes.find(entry => entry.direction === direction && entry.priority === priority)
    return { rate: found?.rate ?? 0, burst }
  }

  #peer(direction: Direction, peerId: string): Limit {
    const { perPeer, burst } = this.#options
    const live = this.#peers.get(peerId)
    const configured = this.#isUnderConfig(peerId) ? perPeer[direction] : 0
    return { rate: live?.[direction] ?? configured, burst: live?.burst ?? burst }
  }

  #isUnderConfig(peerId: string): boolean {
    return this.#options.isPrivateLimited || !this.#modules.isPrivate(peerId)
  }

  /** Of the day, local time. */
  #minute(): number {
    if (this.#options.windows.length === 0) return 0
    const now = new Date(this.#modules.clock.now())
    return 60 * now.getHours() + now.getMinutes()
  }

  #refresh(): void {
    this.upload.refresh()
    this.download.refresh()
  }
}

function effective(up: Limit, down: Limit, isSet: boolean): EffectiveLimits {
  const burst = Math.max(...[up, down].map(limit => (limit.rate === 0 ? limit.burst : bucketOf(limit).burst)))
  return { up: up.rate, down: down.rate, burst, isSet }
}
