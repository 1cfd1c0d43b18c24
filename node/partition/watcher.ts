/**
 * Watches for partitions while the node runs: asks others when one is suspected, looks for peers that were lost, and when they are back has
 * done what had waited for them. Whoever must do another thing meanwhile asks `isFrozen`.
 */
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  displayDuration,
  type Logger,
  partMetrics,
  plural,
  SECOND_MS,
  timeoutSignal
} from '../../base/index.ts'
import {
  type Healed,
  PARTITION_STATES,
  type PartitionDetector,
  type PartitionReport,
  type PartitionState,
  type Topology
} from '../../topology/index.ts'
import type { EventHub } from '../events.ts'
import type { PartitionShape } from '../partition-schemas.ts'
import { Ongoing } from '../services/ongoing.ts'
import type { PartitionWatch } from '../services/partition-types.ts'
import { type ProbingModules, probeLost } from './probing.ts'
import { type RedialingModules, redialLost } from './redialing.ts'
import { partitionShape } from './shape.ts'

/** Twice as often as the detector needs it (STALL_MS). */
const TICK_MS = SECOND_MS / 2
/** Others are asked again: who is lost, and who is left, is clearer then. */
const PROBE_EVERY_MS = 2 * SECOND_MS
/** All of one probe. */
const PROBE_MS = 3 * SECOND_MS
/** After the first peers are back, so long for the others. */
const RETURN_MS = SECOND_MS
const RETURN_TICK_MS = SECOND_MS / 10
/** Of what lasted for so long, in seconds. */
const DURATION_BUCKETS_S = [10, 30, 60, 300, 900, 3600, 14_400, 86_400]
/** Parts of the node that listen: more is a leak. */
const MAX_LISTENERS = 16

export interface PartitionModules extends ProbingModules, RedialingModules {
  readonly detector: PartitionDetector
  readonly host: ProbingModules['host'] & RedialingModules['host']
  readonly topology: Pick<Topology, 'views' | 'reachedByOthers'>
  /** Does what had waited since a time (wall). */
  readonly heal: (sinceMs: number, signal: AbortSignal) => Promise<Healed>
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub
  readonly metrics: MetricsRegistry
}

export class PartitionWatcher extends Ongoing implements PartitionWatch {
  readonly #modules: PartitionModules
  readonly #listeners = new Set<(state: PartitionState) => void>()
  readonly #tasks = new Set<Promise<void>>()
  readonly #metrics
  #told: PartitionState
  #last: PartitionReport | undefined
  #isProbing = false
  #probedMs = Number.NEGATIVE_INFINITY
  #isRedialing = false
  #healing: AbortController | undefined

  constructor(modules: PartitionModules) {
    super('the watch for partitions', modules.logger)
    this.#modules = modules
    this.#told = modules.detector.state
    const metrics = partMetrics(modules.metrics, 'partition')
    metrics.gauge('state_number', () => PARTITION_STATES.indexOf(this.state.name))
    metrics.gauge('lost_peers', () => this.state.lost)
    this.#metrics = {
      partitions: metrics.counter('partitions_total'),
      seconds: metrics.histogram('duration_seconds', DURATION_BUCKETS_S)
    }
  }

  get state(): PartitionState {
    return this.#modules.detector.state
  }

  get isFrozen(): boolean {
    return this.#modules.detector.isFrozen
  }

  onChange(listener: (state: PartitionState) => void): () => void {
    if (this.#listeners.size >= MAX_LISTENERS)
      throw new CatalogError('INTERNAL', `more than ${MAX_LISTENERS} parts listen for partitions`)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For people and programs, with what became of the last one. */
  shape(): PartitionShape {
    return partitionShape(this.state, this.#last, this.#modules.clock)
  }

  protected async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        this.#look(signal)
        await this.#modules.clock.wait(TICK_MS, signal)
      }
    } finally {
      await Promise.all(this.#tasks)
    }
  }

  #look(signal: AbortSignal): void {
    const { detector, clock } = this.#modules
    const nowMs = clock.monotonicMs()
    detector.tick(nowMs)
    const { name, isFrozen } = detector
    if (name !== this.#told.name || isFrozen !== this.#told.isFrozen) this.#changed()
    if (name === 'suspected' && !this.#isProbing && nowMs - this.#probedMs >= PROBE_EVERY_MS)
      this.#track(this.#probe(signal))
    if (detector.lost.length > 0 && !this.#isRedialing) this.#track(this.#redial(signal))
    if (name === 'healing') this.#healing ??= this.#heal(signal)
    else this.#healing?.abort()
  }

  #changed(): void {
    const { logger, events } = this.#modules
    const state = this.state
    const before = this.#told.name
    this.#told = state
    const { name, lost, of, reasons } = state
    if (name === 'partitioned' && before === 'suspected') this.#metrics.partitions.inc()
    const level = name === 'partitioned' ? 'warn' : 'info'
    logger[level]({ from: before, to: name, lost, of, reasons }, 'the network as seen from here')
    events.emit('partition', { ...this.shape() })
    for (const listener of this.#listeners) listener(state)
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { detector, topology, clock } = this.#modules
    this.#isProbing = true
    this.#probedMs = clock.monotonicMs()
    try {
      const limit = AbortSignal.any([signal, timeoutSignal(PROBE_MS)])
      const judgement = await probeLost(this.#modules, detector.lost, limit)
      if (judgement === undefined || signal.aborted || detector.name !== 'suspected') return
      for (const peerId of judgement.reached) topology.reachedByOthers(peerId)
      detector.judged(judgement)
    } finally {
      this.#isProbing = false
    }
  }

  async #redial(signal: AbortSignal): Promise<void> {
    this.#isRedialing = true
    try {
      await redialLost(this.#modules, signal)
    } finally {
      this.#isRedialing = false
    }
  }

  /** Ends when it is done, or when the peers are lost again: then it is done anew. */
  #heal(signal: AbortSignal): AbortController {
    const over = new AbortController()
    this.#track(
      this.#healed(AbortSignal.any([signal, over.signal])).finally(() => {
        this.#healing = undefined
      })
    )
    return over
  }

  async #healed(signal: AbortSignal): Promise<void> {
    const { detector, clock, heal } = this.#modules
    const lostForMs = clock.monotonicMs() - detector.state.sinceMs
    await this.#untilBack(signal)
    const done = await heal(clock.now() - lostForMs, signal)
    if (signal.aborted) return
    const report = detector.healed(done, clock.monotonicMs())
    if (report !== undefined) this.#reported(report)
  }

  /**
   * The first ones are back: the others are being dialled, and what is compared with them is newer. Who is connected is of use once it has said
   * who it is, for which a dial waits. Resolves by an abort too.
   */
  async #untilBack(signal: AbortSignal): Promise<void> {
    const { detector, clock, host } = this.#modules
    const endMs = clock.monotonicMs() + RETURN_MS
    while (detector.lost.length > 0 && clock.monotonicMs() < endMs && !signal.aborted)
      await clock.wait(RETURN_TICK_MS, signal).catch(() => undefined)
    const limit = AbortSignal.any([signal, timeoutSignal(RETURN_MS)])
    await Promise.allSettled(host.peers().map(({ peerId }) => host.connect(`/p2p/${peerId}`, limit)))
  }

  #reported(report: PartitionReport): void {
    const { logger } = this.#modules
    const { kind, lastedMs, healedInMs, lostPeers, returnedPeers } = report
    this.#last = report
    if (kind === 'partitioned') this.#metrics.seconds.observe(lastedMs / SECOND_MS)
    logger.info(
      { ...report },
      `${kind} for ${displayDuration(Math.round(lastedMs))}, healed in ${displayDuration(Math.round(healedInMs))}: ${returnedPeers} of ${plural(lostPeers, 'peer')} are back`
    )
    this.#changed()
  }

  #track(work: Promise<void>): void {
    const { logger } = this.#modules
    const task = work
      .catch(err => logger.error({ err }, 'work on a partition failed'))
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }
}
