/**
 * The daemon's log. Every part writes to a `Logger`; a line goes to the ring of recent lines and to one sink: the terminal in a
 * form for people, or a rotated file of JSON lines. The level can be changed while it runs, for all parts at once.
 * Errors that lines tell of are counted, those below the level too (error-log.ts).
 * A line written while a request is worked on carries its `requestId`, whichever part writes it.
 */
import { type LoggerOptions, type Logger as Pino, pino } from 'pino'
import type { Logger } from '../../base/index.ts'
import { currentRequestId } from '../request-context.ts'
import { ErrorLog } from './error-log.ts'
import { LOG_LEVELS, type LogLevel } from './line.ts'
import { LogRing } from './ring.ts'
import type { LogSink } from './sinks.ts'

/** About what a person scrolls through, at 200 bytes a line. */
const RING_LINES = 2000
const RING_BYTES = 1024 * 1024

export interface Logging {
  readonly logger: Logger
  readonly ring: LogRing
  readonly errors: ErrorLog
  level: LogLevel
  /** Everything written is with the system when this resolves. */
  close(): Promise<void>
}

export function createLogging(modules: { sink: LogSink }, options: { level: LogLevel }): Logging {
  const { sink } = modules
  const ring = new LogRing({ maxLines: RING_LINES, maxBytes: RING_BYTES })
  const errors = new ErrorLog()
  const gate: Gate = { threshold: LOG_LEVELS[options.level], errors }
  const destination = {
    /** pino sets this before each write. */
    lastLevel: 0,
    write(text: string): void {
      ring.push({ level: this.lastLevel, text })
      sink.write(text)
    }
  }
  Object.defineProperty(destination, Symbol.for('pino.metadata'), { value: true })
  const root = pino(PINO_OPTIONS, destination)
  let level = options.level
  return {
    logger: new GatedLogger(root, gate, {}),
    ring,
    errors,
    get level() {
      return level
    },
    set level(next: LogLevel) {
      level = next
      gate.threshold = LOG_LEVELS[next]
    },
    close: () => sink.close()
  }
}

const PINO_OPTIONS: LoggerOptions = {
  // The gate decides: a child of pino keeps the level it was born with.
  level: 'trace',
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  mixin: () => {
    const requestId = currentRequestId()
    return requestId === undefined ? {} : { requestId }
  },
  // A field of the line wins over the request's, so that an operation's own id is never doubled.
  mixinMergeStrategy: (line, mixin) => Object.assign(mixin, line)
}

interface Gate {
  threshold: number
  readonly errors: ErrorLog
}

/** One level for a logger and all its children, changed in one place; and one count of what they tell of errors. */
class GatedLogger implements Logger {
  readonly #pino: Pino
  readonly #gate: Gate
  /** Fields of every line. */
  readonly #bound: object

  constructor(pinoLogger: Pino, gate: Gate, bound: object) {
    this.#pino = pinoLogger
    this.#gate = gate
    this.#bound = bound
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message)
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message)
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message)
  }

  trace(fields: object, message: string): void {
    this.#write('trace', fields, message)
  }

  child(fields: object): Logger {
    return new GatedLogger(this.#pino.child(fields), this.#gate, { ...this.#bound, ...fields })
  }

  #write(level: LogLevel, fields: object, message: string): void {
    const { threshold, errors } = this.#gate
    if ('code' in fields || 'err' in fields)
      errors.note({ atMs: Date.now(), level, message, fields: { ...this.#bound, ...fields } })
    if (threshold <= LOG_LEVELS[level]) this.#pino[level](fields, message)
  }
}
