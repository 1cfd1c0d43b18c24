/** Looks at the node now and then and tells of alerts as they are raised and cleared: an event, a line of the log, and the status while they hold. */
import { type Clock, type Logger, SECOND_MS } from '../../../base/index.ts'
import type { EventHub } from '../../events.ts'
import type { AlertShape } from '../../schemas.ts'
import { Ongoing } from '../ongoing.ts'
import { nextStep, type Trouble } from './alert-steps.ts'
import { ALERT_RULES, type AlertState } from './rules.ts'

/** Sooner than anybody reads an alert, and seldom enough that an idle node stays idle: a look takes a millisecond. */
const LOOK_EVERY_MS = 15 * SECOND_MS

export interface AlertingModules {
  readonly look: () => Promise<AlertState>
  readonly events: Pick<EventHub, 'emit'>
  readonly clock: Clock
  readonly logger: Logger
}

export class Alerting extends Ongoing {
  readonly #modules: AlertingModules
  #troubles: readonly Trouble[] = []

  constructor(modules: AlertingModules) {
    super('alerts', modules.logger)
    this.#modules = modules
  }

  /** Those that were raised and hold, the oldest first. */
  active(): AlertShape[] {
    return this.#troubles
      .filter(({ raisedMs }) => raisedMs !== undefined)
      .sort((a, b) => a.raisedMs! - b.raisedMs!)
      .map(trouble => this.#shape(trouble))
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#modules
    for (;;) {
      try {
        await this.#look()
      } catch (err) {
        signal.throwIfAborted()
        // Such as a disk that is gone: what else is seen is not, until the next look.
        logger.error({ err }, 'the state of the node could not be looked at for alerts')
      }
      await clock.wait(LOOK_EVERY_MS, signal)
    }
  }

  async #look(): Promise<void> {
    const { look, events, clock, logger } = this.#modules
    const { troubles, raised, cleared } = nextStep(this.#troubles, await look(), clock.monotonicMs())
    this.#troubles = troubles
    for (const trouble of raised) {
      const alert = this.#shape(trouble)
      logger[alert.level](
        { alert: alert.kind, about: alert.about, reason: alert.message, hint: alert.hint },
        'an alert'
      )
      events.emit('alert', { state: 'raised', ...alert })
    }
    for (const trouble of cleared) {
      const alert = this.#shape(trouble)
      logger.info({ alert: alert.kind, about: alert.about }, 'an alert is over')
      events.emit('alert', { state: 'cleared', ...alert })
    }
  }

  #shape({ kind, about, message, badMs }: Trouble): AlertShape {
    const { clock } = this.#modules
    const { level, hint } = ALERT_RULES[kind]
    const since = new Date(clock.now() - (clock.monotonicMs() - (badMs ?? clock.monotonicMs()))).toISOString()
    return { kind, level, ...(about === undefined ? {} : { about }), message, hint, since }
  }
}
