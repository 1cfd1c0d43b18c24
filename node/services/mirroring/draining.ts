/** A node that is about to leave for good: it hands over what too few others hold, and volunteers no more when nothing is left to hand over. */
import type { Clock, Logger } from '../../../base/index.ts'
import { type Database, KeyFamily, makeKey } from '../../../library/index.ts'
import type { Plan } from '../../../mirror/index.ts'
import type { EventHub } from '../../events.ts'
import type { MemberDirectory } from './types.ts'

/** A row is a time or two; a longer one is damage. */
const MAX_ROW_BYTES = 256
const KEY = makeKey(KeyFamily.MirrorDrain)

export interface DrainingModules {
  database: Database
  members: Pick<MemberDirectory, 'leave' | 'rejoin'>
  events: Pick<EventHub, 'emit'>
  clock: Pick<Clock, 'now'>
  logger: Logger
}

interface Row {
  /** Milliseconds since the epoch. */
  readonly since: number
  /** When nothing was left to hand over. */
  readonly safeSince?: number
}

export class Draining {
  readonly #modules: DrainingModules
  #row: Row | undefined

  static open(modules: DrainingModules): Draining {
    return new Draining(modules, readRow(modules.database.get(KEY)))
  }

  private constructor(modules: DrainingModules, row: Row | undefined) {
    this.#modules = modules
    this.#row = row
  }

  get isDraining(): boolean {
    return this.#row !== undefined
  }

  /** Since when; undefined while it does not. */
  get sinceMs(): number | undefined {
    return this.#row?.since
  }

  /** Whether what was here is elsewhere, and this node is no member any more. */
  get isSafeToLeave(): boolean {
    return this.#row?.safeSince !== undefined
  }

  /** Durable when it resolves. */
  async begin(): Promise<void> {
    if (this.#row === undefined) await this.#write({ since: this.#modules.clock.now() })
  }

  /** It stays after all, and is a member also where its leaving was cut off half-way. */
  async cancel(): Promise<void> {
    if (await this.forget()) await this.#modules.members.rejoin()
  }

  /** Nothing is left of it; whether there was anything. Durable when it resolves. */
  async forget(): Promise<boolean> {
    if (this.#row === undefined) return false
    this.#row = undefined
    await this.#modules.database.write([{ type: 'del', key: KEY }], { sync: true })
    return true
  }

  /** A plan was made and begun: perhaps nothing is left to hand over. */
  async planned(plan: Plan, { isIdle }: { isIdle: boolean }, signal: AbortSignal): Promise<void> {
    const row = this.#row
    if (row === undefined || row.safeSince !== undefined || !plan.isSafeToLeave || !isIdle) return
    const { members, clock, logger, events } = this.#modules
    await members.leave(signal)
    // It was told to stay meanwhile.
    if (this.#row !== row) return await members.rejoin()
    await this.#write({ ...row, safeSince: clock.now() })
    logger.info({}, 'nothing is left to hand over: it is safe to leave')
    events.emit('mirror', { state: 'safe-to-leave' })
  }

  async #write(row: Row): Promise<void> {
    const value = Buffer.from(JSON.stringify(row))
    this.#row = row
    await this.#modules.database.write([{ type: 'put', key: KEY, value }], { sync: true })
  }
}

function readRow(value: Uint8Array | undefined): Row | undefined {
  if (value === undefined || value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const { since, safeSince } = JSON.parse(Buffer.from(value).toString()) as Partial<Row>
    if (!Number.isSafeInteger(since)) return undefined
    return { since: since!, ...(Number.isSafeInteger(safeSince) ? { safeSince: safeSince! } : {}) }
  } catch {
    return undefined
  }
}
