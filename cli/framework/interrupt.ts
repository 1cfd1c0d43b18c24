/** Commands that are ended by a signal: what they throw, and the status that shells expect of them (128 + its number). */
import { CatalogError } from '../../base/index.ts'

export const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const
export type EndingSignal = keyof typeof SIGNAL_STATUS

/** ABORTED, with the signal in its details. */
export function interrupted(signal: EndingSignal): CatalogError {
  return new CatalogError('ABORTED', `stopped by ${signal}`, { details: { signal } })
}

/** The exit status of a command that ends with this error. */
export function exitStatusOf({ exitCode, code, details }: CatalogError): number {
  const signal = code === 'ABORTED' ? details?.signal : undefined
  return signal === 'SIGINT' || signal === 'SIGTERM' ? SIGNAL_STATUS[signal] : exitCode
}
