import { KIB, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** As mirroring has it (mirror/demand/summary.ts). */
const MAX_SUMMARY_BYTES = 16 * KIB
/** Tag and length of the summary. */
const FIELD_BYTES = 4
/** Summaries of one peer: one an hour, and more when nodes restart. Reading one takes a millisecond. */
export const DEMAND_RATE: PeerRate = { perSecond: SECOND_MS / (10 * MINUTE_MS), burst: 6 }

/** Tells a peer what was served most (method 50). */
export const tellDemand = declareRequest({
  method: 50,
  name: 'demand.tell',
  request: declareMessage('tell demand request', generated.TellDemandRequest, {
    minBytes: FIELD_BYTES,
    maxBytes: MAX_SUMMARY_BYTES + FIELD_BYTES,
    check: ({ summary }) => (summary.byteLength > MAX_SUMMARY_BYTES ? 'the summary is too long' : undefined)
  }),
  response: declareMessage('tell demand response', generated.TellDemandResponse, {
    minBytes: 0,
    maxBytes: KIB
  }),
  timeoutMs: 10 * SECOND_MS
})
