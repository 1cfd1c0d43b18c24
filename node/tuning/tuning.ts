/** Turns settings by itself while it is switched on, and puts the configured values back when it is switched off or stopped. */
import {
  type Clock,
  changedWithin,
  displaySize,
  type Logger,
  MIB,
  SECOND_MS,
  Signpost
} from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import type { EventHub } from '../events.ts'
import { Ongoing } from '../services/ongoing.ts'
import type { TunedShape } from '../tuning-schemas.ts'
import { beginClimb, type Climb, climb, type KnobRange, type Turn } from './climb.ts'

/** Of one measurement, which three follow each other for: long enough for some answers of a slow source. */
const WINDOW_MS = 10 * SECOND_MS
/** Less than that in a window tells how much there was to fetch, not how fast it comes. */
const BUSY_BYTES = 4 * MIB

export interface TuningModules {
  /** Places of fetches. */
  turns: { maxActive: number; readonly active: number; readonly waiting: number }
  pace: { readonly receivedBytes: number; prefetch: number }
  events: Pick<EventHub, 'emit'>
  clock: Clock
  logger: Logger
}

export class Tuning extends Ongoing {
  readonly #modules: TuningModules
  readonly #ranges: readonly KnobRange[]
  readonly #switched = new Signpost()
  readonly #last = new Map<string, TunedShape>()
  #isOn: boolean
  #climb: Climb

  constructor(modules: TuningModules, { fetch, tuning }: Pick<Config, 'fetch' | 'tuning'>) {
    super('tuning', modules.logger)
    this.#modules = modules
    this.#isOn = tuning.auto
    this.#ranges = [
      rangeOf('fetch.atOnce', fetch.atOnce, tuning.minAtOnce, tuning.maxAtOnce),
      rangeOf('fetch.prefetch', fetch.prefetch, tuning.minPrefetch, tuning.maxPrefetch)
    ]
    this.#climb = beginClimb(this.#ranges)
  }

  /** Settings that are other than configured now. */
  tuned(): TunedShape[] {
    return [...this.#last.values()].filter(({ now, configured }) => now !== configured)
  }

  /** Switched off, the configured values hold again when this returns. */
  switch(isOn: boolean): void {
    if (isOn === this.#isOn) return
    this.#isOn = isOn
    this.#reset()
    this.#switched.show()
  }

  override async stop(): Promise<void> {
    await super.stop()
    this.#reset()
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock, turns, pace } = this.#modules
    for (;;) {
      const [switched, before] = [this.#switched.shown(), pace.receivedBytes]
      const wereActive = turns.active
      const startMs = clock.monotonicMs()
      await changedWithin(switched, this.#isOn ? WINDOW_MS : Number.POSITIVE_INFINITY, { clock, signal })
      const tookMs = clock.monotonicMs() - startMs
      const bytes = pace.receivedBytes - before
      // A window in which it was switched measures nothing.
      if (!this.#isOn || tookMs < WINDOW_MS) continue
      const isBusy = bytes >= BUSY_BYTES && wereActive > 0 && turns.active > 0
      // Places that nobody waits for hold up nobody, unless nearly all of them are taken.
      const isTight = turns.waiting > 0 || turns.active >= 0.75 * turns.maxActive
      const throughput = (bytes * SECOND_MS) / tookMs
      const { next, turn } = climb(this.#climb, {
        throughput,
        isBusy,
        loose: isTight ? [] : ['fetch.atOnce']
      })
      this.#climb = next
      if (turn !== undefined) this.#tell(turn.name, turn.from, turn.to, reasonOf(turn))
    }
  }

  #reset(): void {
    for (const { name, value, configured } of this.#climb.knobs)
      if (value !== configured) this.#tell(name, value, configured, 'the configured value holds again')
    this.#climb = beginClimb(this.#ranges)
    this.#last.clear()
  }

  #tell(key: string, from: number, to: number, reason: string): void {
    const { turns, pace, events, clock, logger } = this.#modules
    if (key === 'fetch.atOnce') turns.maxActive = to
    else pace.prefetch = to
    const { configured } = this.#ranges.find(({ name }) => name === key)!
    const message = `tuned from ${from} to ${to}: ${reason}`
    const shape = { key, configured, now: to, message, since: new Date(clock.now()).toISOString() }
    this.#last.set(key, shape)
    logger.info({ key, from, to, reason }, 'a setting was tuned')
    events.emit('tuning', { ...shape, from })
  }
}

/** What is configured is always within. */
const rangeOf = (name: string, configured: number, min: number, max: number): KnobRange => ({
  name,
  configured,
  min: Math.min(min, configured),
  max: Math.max(max, configured)
})

const rate = (bytes: number): string => `${displaySize(Math.round(bytes))}/s`

function reasonOf({ why, before, after }: Turn): string {
  if (why === 'try') return `to see whether more comes than ${rate(before)}`
  if (why === 'idle') return 'too little goes on to see what it brings'
  return `it brought ${rate(after ?? 0)} instead of ${rate(before)}`
}
