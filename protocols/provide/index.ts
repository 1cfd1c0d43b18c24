/**
 * provide/1: a node tells another "I hold what these keys stand for", and learns for each key whether the other keeps the
 * claim. The provider is always the authenticated remote peer; nobody can claim for another. Goals: many keys in one message,
 * an acknowledgement that means "on disk". Not its business: which keys, which peers, how claims are kept (discovery/).
 * In: a peer record, keys, a lifetime. Out: a verdict for each key.
 */
import type { ExchangeType } from '../exchange/index.ts'
import type { ProvideRequest, ProvideResponse } from './messages.js'
import { provideRequest, provideResponse } from './wire.ts'

export type { ProvideRequest, ProvideResponse } from './messages.js'
export { toVerdicts, Verdict } from './verdict.ts'
export {
  MAX_KEYS_PER_REQUEST,
  MAX_PEER_RECORD_BYTES,
  splitKeys
} from './wire.ts'

export const PROVIDE: ExchangeType<ProvideRequest, ProvideResponse> = {
  name: 'provide',
  version: 1,
  request: provideRequest,
  response: provideResponse
}
