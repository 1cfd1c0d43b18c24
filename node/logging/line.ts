/** Names of levels, worst first, with pino's numbers. */
export const LOG_LEVELS = { error: 50, warn: 40, info: 30, debug: 20, trace: 10 } as const
export type LogLevel = keyof typeof LOG_LEVELS
export const LOG_LEVEL_NAMES = [
  'error',
  'warn',
  'info',
  'debug',
  'trace'
] as const satisfies readonly LogLevel[]

/** One line of the log: JSON text with its line end, and its level so that nobody parses it to filter. */
export interface LogLine {
  readonly level: number
  readonly text: string
}

export function isLogLevel(value: string): value is LogLevel {
  return Object.hasOwn(LOG_LEVELS, value)
}
