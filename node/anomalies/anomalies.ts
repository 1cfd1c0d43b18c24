/** Watches what the node measures anyway for what is other than usual, and tells of it: an event and a line of the log when it begins and ends, and the status meanwhile. */
import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, type Logger, partMetrics } from '../../base/index.ts'
import type { AnomalyShape } from '../anomaly-schemas.ts'
import type { EventHub } from '../events.ts'
import { Batches } from './batches.ts'
import { type Anomaly, BEGIN, observe, type Watch, type WatchStep } from './detector.ts'
import { SERIES } from './series.ts'
import { UsualTimes } from './usual-times.ts'

export interface AnomaliesModules {
  events: Pick<EventHub, 'emit'>
  clock: Pick<Clock, 'now' | 'monotonicMs'>
  logger: Logger
  metrics: MetricsRegistry
}

interface Followed {
  readonly batches: Batches
  watch: Watch
}

export class Anomalies {
  readonly #modules: AnomaliesModules
  readonly #series = new Map<string, Followed>()
  readonly #usualTimes = new UsualTimes()
  readonly #began

  constructor(modules: AnomaliesModules) {
    this.#modules = modules
    const metrics = partMetrics(modules.metrics, 'anomaly')
    this.#began = metrics.counter('began_anomalies_total')
    metrics.gauge('active_anomalies', () => this.active().length)
  }

  /** Those that hold, the oldest first. */
  active(): AnomalyShape[] {
    return [...this.#series]
      .flatMap(
        ([
          series,
          {
            watch: { anomaly }
          }
        ]) => (anomaly === undefined ? [] : [{ series, anomaly }])
      )
      .sort((a, b) => a.anomaly.sinceMs - b.anomaly.sinceMs)
      .map(({ series, anomaly }) => this.#shape(series, anomaly))
  }

  /** One sample; of series that nobody defined nothing is kept. */
  sample(series: string, value: number): void {
    const rule = SERIES[series]
    if (rule === undefined) return
    let followed = this.#series.get(series)
    if (followed === undefined) {
      followed = { batches: new Batches(rule.scale.minSamples), watch: BEGIN }
      this.#series.set(series, followed)
    }
    const batch = followed.batches.add(value, this.#modules.clock.monotonicMs())
    if (batch === undefined) return
    const { scale } = rule
    const { watch, change } = observe(followed.watch, batch.samples, { scale, sinceMs: batch.sinceMs })
    followed.watch = watch
    if (change !== undefined) this.#tell(series, change)
  }

  roundTrip(peer: string, tookMs: number): void {
    const ratio = this.#usualTimes.ratio(peer, tookMs)
    if (ratio !== undefined) this.sample('round-trips', ratio)
  }

  #tell(series: string, { kind, anomaly }: NonNullable<WatchStep['change']>): void {
    const { events, logger } = this.#modules
    const shape = this.#shape(series, anomaly)
    if (kind === 'began') this.#began.inc({ series })
    const { message } = shape
    if (kind === 'began') logger.warn({ series, reason: message }, 'something is other than usual')
    else
      logger.info(
        { series, reason: message },
        kind === 'ended' ? 'it is as usual again' : 'it has become usual'
      )
    events.emit('anomaly', {
      state: kind === 'began' ? 'began' : 'ended',
      isUsualNow: kind === 'usual now',
      ...shape
    })
  }

  #shape(series: string, { sinceMs, usual, now, samples }: Anomaly): AnomalyShape {
    const { clock } = this.#modules
    const { words, show } = SERIES[series]!
    const since = new Date(clock.now() - (clock.monotonicMs() - sinceMs)).toISOString()
    const message = `${words} ${show(now)} instead of ${show(usual)}, seen in ${samples} of them since ${since}`
    return { series, message, usual, now, samples, since }
  }
}
