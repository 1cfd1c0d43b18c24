/**
 * What every part writes its log lines to: the subset of pino's interface that Catalog uses. Level policy
 * (docs/architecture.md): error = an operator must act; warn = something was refused or retried and may need a look;
 * info = state changes and finished user operations; debug = each protocol exchange; trace = each message.
 * Fields before the message, names with units (`tookMs`, `sizeBytes`), never key material or file contents.
 */
export interface Logger {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
  debug(fields: object, message: string): void
  trace(fields: object, message: string): void
  child(fields: object): Logger
}

const nothing = (): void => {}

/** A logger that drops everything: for tests and for the library embedded without logs. */
export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
  child: () => silentLogger
}
