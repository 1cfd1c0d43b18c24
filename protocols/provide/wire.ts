import { HOUR_MS, KIB, SECOND_MS } from '../../base/index.ts'
import { declareMessage } from '../wire/message.ts'
import { ProvideRequest as RequestMessage, ProvideResponse as ResponseMessage } from './messages.js'

/** A key of the DHT is a SHA-256. */
export const DHT_KEY_BYTES = 32
/** Keys in one request: 32 KB, acknowledged together, one write at the receiver. */
export const MAX_KEYS_PER_REQUEST = 1000
/** A signed peer record: 16 addresses, key and signature fit four times. */
export const MAX_PEER_RECORD_BYTES = 4 * KIB
/** No claim may be asked to hold longer without being renewed. */
const MAX_LIFETIME_MS = 48 * HOUR_MS
/** Room for the trace context and for fields of later versions. */
const SPARE_BYTES = KIB

/** A request of provide/1: one provider, many keys. */
export const provideRequest = declareMessage('provide.request', RequestMessage, {
  minBytes: DHT_KEY_BYTES,
  maxBytes: MAX_KEYS_PER_REQUEST * DHT_KEY_BYTES + MAX_PEER_RECORD_BYTES + SPARE_BYTES,
  check({ peerRecord, keys, lifetimeS }) {
    const count = keys.length / DHT_KEY_BYTES
    if (peerRecord.length === 0 || peerRecord.length > MAX_PEER_RECORD_BYTES)
      return `a peer record of ${peerRecord.length} bytes`
    if (!Number.isInteger(count) || count < 1 || count > MAX_KEYS_PER_REQUEST)
      return `${keys.length} bytes of keys`
    if (lifetimeS === 0 || lifetimeS * SECOND_MS > MAX_LIFETIME_MS) return `a lifetime of ${lifetimeS} s`
    return undefined
  }
})

/** The answer: a status for the whole, and one verdict for each key (none = all accepted). */
export const provideResponse = declareMessage('provide.response', ResponseMessage, {
  minBytes: 0,
  maxBytes: MAX_KEYS_PER_REQUEST + SPARE_BYTES
})

/** The keys of a request, as views of its bytes. */
export function splitKeys(keys: Uint8Array): Uint8Array[] {
  const count = keys.length / DHT_KEY_BYTES
  return Array.from({ length: count }, (_, i) => keys.subarray(i * DHT_KEY_BYTES, (i + 1) * DHT_KEY_BYTES))
}
