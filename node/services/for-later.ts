/** Which failures of a fetch may be over when it is tried again. */
import { AWAY_CODES, type ErrorCode, toCatalogError } from '../../base/index.ts'

/** Another source or another time may do better; everything else is a fact about the request. */
const WORTH_ANOTHER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...AWAY_CODES,
  'RELEASE_NOT_FOUND',
  'PROTOCOL_VIOLATION',
  'BYTES_WRONG',
  'NOT_FOUND',
  'CONTENT_MISSING',
  'PEER_BANNED'
])

/** Whether another time may do better: nobody could be asked, or nobody who was asked could give it. */
export function isForLater(thrown: unknown): boolean {
  return WORTH_ANOTHER.has(toCatalogError(thrown).code)
}
