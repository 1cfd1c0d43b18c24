import {
  CatalogError,
  displayDuration,
  ERROR_CODES,
  type ErrorCode,
  toCatalogError,
  WireStatus
} from '../../base/index.ts'

/**
 * The way back from a wire status to a code: what a status of a peer means to the one who asked. `INTERNAL` and
 * `DISK_FULL` of a peer are not ours, so its own code travels along for logs (details.remoteCode) but is never thrown.
 * The way there is the `wire` column of ERROR_CODES; going there and back ends at the same status (tested).
 */
const CODE_OF_STATUS: Record<Exclude<WireStatus, 0>, ErrorCode> = {
  [WireStatus.BadRequest]: 'INVALID_ARGUMENT',
  [WireStatus.NotFound]: 'NOT_FOUND',
  [WireStatus.Busy]: 'BUSY',
  [WireStatus.NotPermitted]: 'PEER_REFUSED',
  [WireStatus.TooLarge]: 'LIMIT_EXCEEDED',
  [WireStatus.Internal]: 'PEER_FAILED',
  [WireStatus.Unsupported]: 'UNSUPPORTED',
  [WireStatus.ShuttingDown]: 'SHUTTING_DOWN'
}

/** Longest error code and message that travel, in UTF-16 units; longer ones are cut. */
export const MAX_CODE_LENGTH = 48
export const MAX_MESSAGE_LENGTH = 256

/** The part of an answer that says how it went. */
export interface StatusFields {
  status: number
  code: string
  message: string
  /** With status Busy: when to ask again; 0 = the asker decides. */
  retryAfterMs: number
}

/** The status to send for a thrown value. Messages of unexpected errors stay here: they may name local paths. */
export function statusOf(thrown: unknown): StatusFields {
  const error = toCatalogError(thrown)
  const status = ERROR_CODES[error.code].wire
  const retryAfterMs = error.details?.retryAfterMs
  return {
    status,
    code: error.code.slice(0, MAX_CODE_LENGTH),
    message: status === WireStatus.Internal ? '' : error.message.slice(0, MAX_MESSAGE_LENGTH),
    retryAfterMs: typeof retryAfterMs === 'number' ? Math.max(0, Math.trunc(retryAfterMs)) : 0
  }
}

/** The error to throw for a peer's status; `peer` and its own words go into message and details. */
export function errorOfStatus(fields: StatusFields, peer: string): CatalogError {
  const known = Object.hasOwn(CODE_OF_STATUS, fields.status)
  if (!known)
    return new CatalogError('PROTOCOL_VIOLATION', `${peer} answered with unknown status ${fields.status}`)
  const code = CODE_OF_STATUS[fields.status as keyof typeof CODE_OF_STATUS]
  const words = printable(fields.message, MAX_MESSAGE_LENGTH) || ERROR_CODES[code].meaning
  const { retryAfterMs } = fields
  return new CatalogError(code, `${peer} answered: ${words}`, {
    ...(retryAfterMs > 0 ? { hint: `try again in ${displayDuration(retryAfterMs)}` } : {}),
    details: {
      peer,
      remoteCode: printable(fields.code, MAX_CODE_LENGTH),
      ...(retryAfterMs > 0 ? { retryAfterMs } : {})
    }
  })
}

/** A peer's text, cut and without control characters: it ends up in logs and on terminals. */
export function printable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll(/\p{C}/gu, '?')
}

/** Names that libp2p gives to the end of a stream or a connection. */
const LOST = new Set([
  'StreamResetError',
  'StreamAbortedError',
  'StreamClosedError',
  'StreamStateError',
  'StreamBufferError',
  'ConnectionClosedError',
  'ConnectionClosingError',
  'ConnectionFailedError',
  'MuxerClosedError'
])
const DIAL = new Set([
  'DialError',
  'NoValidAddressesError',
  'NotFoundError',
  'DialDeniedError',
  'AggregateError'
])

/** Gives an error of libp2p its code: a lost stream is STREAM_TRUNCATED, an unknown protocol UNSUPPORTED, and so on. */
export function fromTransport(thrown: unknown, peer: string): CatalogError {
  if (thrown instanceof CatalogError) return thrown
  const name = thrown instanceof Error ? thrown.name : ''
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const make = (code: ErrorCode, what: string): CatalogError =>
    new CatalogError(code, `${peer}: ${what}: ${text}`, { cause: thrown, details: { peer } })
  if (LOST.has(name)) return make('STREAM_TRUNCATED', 'the stream was lost')
  if (DIAL.has(name)) return make('DIAL_FAILED', 'cannot be reached')
  if (name === 'UnsupportedProtocolError') return make('UNSUPPORTED', 'does not speak this protocol')
  return toCatalogError(thrown)
}
