import { SECOND_MS } from '../../base/index.ts'
import { SKETCH_CELL_BYTES } from '../sync/limits.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Member records in one message; also in messages.proto. 130 KB of the usual kind. */
export const MAX_MEMBERS_PER_MESSAGE = 512
/** Of a record in a comparison: the first bytes of the hash of its node's key. */
export const MEMBER_KEY_BYTES = 8
/** As mirroring has it (mirror/members/member.ts). */
const MAX_MEMBER_BYTES = 512
/** As a sketch has at most (sync/sketch/wire.ts), and as many counts at least. */
const MAX_CELLS = 16_384
const MAX_COUNT_BYTES = 5
/** Tags and lengths. */
const ITEM_BYTES = 4
const FIELDS_BYTES = 32
const TIMEOUT_MS = 10 * SECOND_MS

const isMember = ({ byteLength }: Uint8Array): boolean => byteLength > 0 && byteLength <= MAX_MEMBER_BYTES
const MAX_RECORDS_BYTES = MAX_MEMBERS_PER_MESSAGE * (MAX_MEMBER_BYTES + ITEM_BYTES)

/** The sketch of the member records of a peer (method 48). */
export const sketchMembers = declareRequest({
  method: 48,
  name: 'members.sketch',
  request: declareMessage('sketch members request', generated.SketchMembersRequest, {
    minBytes: 2,
    maxBytes: FIELDS_BYTES,
    check: ({ cells }) => (cells >= 1 && cells <= MAX_CELLS ? undefined : `cells are not 1 to ${MAX_CELLS}`)
  }),
  response: declareMessage('sketch members response', generated.SketchMembersResponse, {
    minBytes: 0,
    maxBytes: MAX_CELLS * (SKETCH_CELL_BYTES + MAX_COUNT_BYTES) + FIELDS_BYTES,
    check: ({ cells }) => (cells.byteLength % SKETCH_CELL_BYTES === 0 ? undefined : 'a cell is not whole')
  }),
  timeoutMs: TIMEOUT_MS
})

/** Member records to a peer, and others of it (method 49). */
export const exchangeMembers = declareRequest({
  method: 49,
  name: 'members.exchange',
  request: declareMessage('exchange members request', generated.ExchangeMembersRequest, {
    minBytes: 2,
    maxBytes: MAX_RECORDS_BYTES + MAX_MEMBERS_PER_MESSAGE * MEMBER_KEY_BYTES + FIELDS_BYTES,
    check: ({ wanted, records }) => {
      if (wanted.byteLength % MEMBER_KEY_BYTES !== 0) return 'a key is not whole'
      if (wanted.byteLength > MAX_MEMBERS_PER_MESSAGE * MEMBER_KEY_BYTES) return 'too many keys'
      return records.every(isMember) ? undefined : 'a record is empty or too long'
    }
  }),
  response: declareMessage('exchange members response', generated.ExchangeMembersResponse, {
    minBytes: 0,
    maxBytes: MAX_RECORDS_BYTES,
    check: ({ records }) => (records.every(isMember) ? undefined : 'a record is empty or too long')
  }),
  timeoutMs: TIMEOUT_MS
})
