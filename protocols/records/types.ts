import { KIB, SECOND_MS } from '../../base/index.ts'
import { MAX_RANGE_CHARS } from '../../library/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Records in one answer; the same limit stands in messages.proto. */
export const MAX_RECORDS_PER_ANSWER = 64
/**
 * Statements in one answer, and in messages.proto: two for each record, and more than one record may have. Each costs the asker a check of its
 * signature, 0.1 ms.
 */
export const MAX_STATEMENTS_PER_ANSWER = 128
/** Record bytes in one answer, statements included: well below the largest payload, and never less than one record (32 KiB) with its statements (17 of 4 KiB). */
export const MAX_ANSWER_RECORD_BYTES = 256 * KIB
/** A CID of a record: version, codec, hash code and length, 32 bytes. */
const RECORD_CID_BYTES = 36
/** `@scope/name` with both parts at their longest. */
const MAX_NAME_LENGTH = 130
/** Tags and lengths around the records, and the cursor. */
const ANSWER_OVERHEAD_BYTES = KIB
/** A cursor: version, owner and hash. */
const MAX_CURSOR_BYTES = 256
const OWNER_BYTES = 32
const MAX_VERSION_LENGTH = 128
/** Records that one peer may ask for, a page of a name counted as 64: 300 pages at once, and 31 a second after that. */
export const RECORD_RATE: PeerRate = { perSecond: 2000, burst: 20_000 }
/** Pages of names that are made at once for all peers, and that wait for it; more are answered BUSY. */
export const MAX_LISTINGS = 4
export const MAX_LISTINGS_WAITING = 256
const TIMEOUT_MS = 10 * SECOND_MS

const isCidSized = (id: Uint8Array): boolean => id.byteLength === RECORD_CID_BYTES

/** Releases by id, with what is said of them (method 16). Ids unknown to the peer are left out of the answer. */
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
    maxBytes: 4 * MAX_NAME_LENGTH + MAX_CURSOR_BYTES + KIB,
    check: ({ name, after, limit, version, owner, range }) => {
      if (name.length === 0 || name.length > MAX_NAME_LENGTH) return 'the name is empty or too long'
      if (after.byteLength > MAX_CURSOR_BYTES) return 'the cursor is too long'
      if (version.length > MAX_VERSION_LENGTH) return 'the version is too long'
      if (owner.byteLength > 0 && owner.byteLength !== OWNER_BYTES) return 'the owner is no public key'
      if (range.length > MAX_RANGE_CHARS) return 'the range is too long'
      return limit < 1 || limit > MAX_RECORDS_PER_ANSWER
        ? `limit is not 1 to ${MAX_RECORDS_PER_ANSWER}`
        : undefined
    }
  }),
  response: declareMessage('list releases response', generated.ListReleasesResponse, {
    minBytes: 0,
    maxBytes: MAX_ANSWER_RECORD_BYTES + ANSWER_OVERHEAD_BYTES,
    check: ({ next }) => (next.byteLength > MAX_CURSOR_BYTES ? 'the cursor is too long' : undefined)
  }),
  timeoutMs: TIMEOUT_MS
})
