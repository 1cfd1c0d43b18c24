import { HOUR_MS, KIB, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** As the ledger has it (ledger/receipt.ts). */
const MAX_RECEIPT_BYTES = 512
/** Receipts that are shown at once; also in messages.proto. */
export const MAX_SHOWN_RECEIPTS = 16
/** Receipts of one peer: one an hour, and more when nodes restart. Reading one takes a tenth of a millisecond. */
export const GIVE_RATE: PeerRate = { perSecond: SECOND_MS / HOUR_MS, burst: 4 }
/** Questions of one peer for what was signed for this node: one an hour, and more when nodes restart. */
export const SHOW_RATE: PeerRate = { perSecond: SECOND_MS / (10 * MINUTE_MS), burst: 4 }
/** Tag and length of a receipt. */
const FIELD_BYTES = 3
const TIMEOUT_MS = 10 * SECOND_MS

const areReceipts = (receipts: readonly Uint8Array[]): string | undefined =>
  receipts.some(({ byteLength }) => byteLength > MAX_RECEIPT_BYTES) ? 'a receipt is too long' : undefined

/** Gives a peer a receipt for what it gave (method 96). */
export const giveReceipt = declareRequest({
  method: 96,
  name: 'receipts.give',
  request: declareMessage('give receipt request', generated.GiveReceiptRequest, {
    minBytes: FIELD_BYTES,
    maxBytes: MAX_RECEIPT_BYTES + FIELD_BYTES,
    check: ({ receipt }) => areReceipts([receipt])
  }),
  response: declareMessage('give receipt response', generated.GiveReceiptResponse, {
    minBytes: 0,
    maxBytes: KIB
  }),
  timeoutMs: TIMEOUT_MS
})

/** Which receipts others have signed for a peer (method 97). */
export const showReceipts = declareRequest({
  method: 97,
  name: 'receipts.show',
  request: declareMessage('show receipts request', generated.ShowReceiptsRequest, {
    minBytes: 0,
    maxBytes: KIB
  }),
  response: declareMessage('show receipts response', generated.ShowReceiptsResponse, {
    minBytes: 0,
    maxBytes: MAX_SHOWN_RECEIPTS * (MAX_RECEIPT_BYTES + FIELD_BYTES),
    check: ({ receipts }) => areReceipts(receipts)
  }),
  timeoutMs: TIMEOUT_MS
})
