import { KIB, SECOND_MS } from '../../base/index.ts'
import { RECORD_LIMITS } from '../../library/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { MAX_ANSWER_RECORD_BYTES } from '../records/types.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Contents that are asked for in one question; also in messages.proto. */
export const MAX_WANTED_CONTENTS = 32
/** Releases in one answer; also in messages.proto. */
export const MAX_WANTED_RECORDS = 64
/** Releases of one content: who gives many names to one content does not take the place of all others. */
export const MAX_RECORDS_PER_CONTENT = 4
/** Questions of one peer: each goes through all names that are here. */
export const WANTED_RATE: PeerRate = { perSecond: 1 / 10, burst: 12 }
/** Offers of one peer: who leaves offers one thing after the other. */
export const OFFER_RATE: PeerRate = { perSecond: 2, burst: 64 }
/** A CID of a content: version, codec, hash code and length, 32 bytes. */
const CONTENT_CID_BYTES = 36
/** Tag and length. */
const ITEM_BYTES = 4

/** Releases whose contents are asked for by their CIDs (method 52). */
export const wantedReleases = declareRequest({
  method: 52,
  name: 'mirror.wanted',
  request: declareMessage('wanted releases request', generated.WantedReleasesRequest, {
    minBytes: CONTENT_CID_BYTES + 2,
    maxBytes: MAX_WANTED_CONTENTS * (CONTENT_CID_BYTES + ITEM_BYTES),
    check: ({ contents }) =>
      contents.every(({ byteLength }) => byteLength === CONTENT_CID_BYTES)
        ? undefined
        : `a content is not ${CONTENT_CID_BYTES} bytes`
  }),
  response: declareMessage('wanted releases response', generated.WantedReleasesResponse, {
    minBytes: 0,
    maxBytes: MAX_ANSWER_RECORD_BYTES + MAX_WANTED_RECORDS * ITEM_BYTES
  }),
  timeoutMs: 10 * SECOND_MS
})

/** Why an offer is not taken; 0 when it is. */
export const OfferRefusal = { None: 0, NotMember: 1, NotTaken: 2 } as const

/** Asks a member to hold what a release contains (method 51). */
export const offerRelease = declareRequest({
  method: 51,
  name: 'mirror.offer',
  request: declareMessage('offer release request', generated.OfferReleaseRequest, {
    minBytes: ITEM_BYTES,
    maxBytes: RECORD_LIMITS.recordBytes + ITEM_BYTES,
    check: ({ record }) =>
      record.byteLength > RECORD_LIMITS.recordBytes ? 'the record is too long' : undefined
  }),
  response: declareMessage('offer release response', generated.OfferReleaseResponse, {
    minBytes: 0,
    maxBytes: KIB
  }),
  timeoutMs: 10 * SECOND_MS
})
