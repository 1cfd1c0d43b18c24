import { KIB, SECOND_MS } from '../../base/index.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Records in one answer; the same limit stands in messages.proto. */
export const MAX_RECORDS_PER_ANSWER = 64
/** Record bytes in one answer: well below the largest payload, and never less than one record (32 KiB). */
export const MAX_ANSWER_RECORD_BYTES = 256 * KIB
/** A CID of a record: version, codec, hash code and length, 32 bytes. */
const RECORD_CID_BYTES = 36
/** `@scope/name` with both parts at their longest. */
const MAX_NAME_LENGTH = 130
/** Tags and lengths around the records, and the cursor. */
const ANSWER_OVERHEAD_BYTES = KIB
const TIMEOUT_MS = 10 * SECOND_MS

const isCidSized = (id: Uint8Array): boolean => id.byteLength === RECORD_CID_BYTES

/** Records by id (method 16). Ids unknown to the peer are left out of the answer. */
export const getRecords = declareRequest({
  method: 16,
  name: 'records.get',
  request: declareMessage('get records request', generated.GetRecordsRequest, {
    minBytes: RECORD_CID_BYTES + 2,
    maxBytes: MAX_RECORDS_PER_ANSWER * (RECORD_CID_BYTES + 4) + 64,
    check: ({ ids }) => (ids.every(isCidSized) ? undefined : `an id is not ${RECORD_CID_BYTES} bytes`)
  }),
  response: declareMessage('get records response', generated.GetRecordsResponse, {
    minBytes: 0,
    maxBytes: MAX_ANSWER_RECORD_BYTES + ANSWER_OVERHEAD_BYTES
  }),
  timeoutMs: TIMEOUT_MS
})

/** Releases of a name, highest version first, page by page (method 17). */
export const listReleases = declareRequest({
  method: 17,
  name: 'records.list',
  request: declareMessage('list releases request', generated.ListReleasesRequest, {
    minBytes: 3,
    maxBytes: 4 * MAX_NAME_LENGTH + 128,
    check: ({ name, after, limit }) => {
      if (name.length === 0 || name.length > MAX_NAME_LENGTH) return 'the name is empty or too long'
      if (after.byteLength > 0 && !isCidSized(after)) return 'the cursor is no record id'
      return limit < 1 || limit > MAX_RECORDS_PER_ANSWER
        ? `limit is not 1 to ${MAX_RECORDS_PER_ANSWER}`
        : undefined
    }
  }),
  response: declareMessage('list releases response', generated.ListReleasesResponse, {
    minBytes: 0,
    maxBytes: MAX_ANSWER_RECORD_BYTES + ANSWER_OVERHEAD_BYTES,
    check: ({ next }) =>
      next.byteLength === 0 || isCidSized(next) ? undefined : 'the cursor is no record id'
  }),
  timeoutMs: TIMEOUT_MS
})
