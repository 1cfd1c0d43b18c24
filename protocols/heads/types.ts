import { KIB, SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { LIBRARY_ID_BYTES, MAX_HEAD_BYTES } from '../sync/limits.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Libraries that one peer may watch; also in messages.proto. */
export const MAX_WATCHED = 1024
/** Heads of one answer; also in messages.proto. Those of more libraries are told one by one after it. */
export const MAX_HEADS_PER_ANSWER = 256
/** Watches of one peer: it says when its libraries change, and again now and then. */
export const WATCH_RATE: PeerRate = { perSecond: 1 / 10, burst: 10 }
/** Heads that one peer may tell, each of which costs 0.2 ms and perhaps a write. */
export const HEAD_RATE: PeerRate = { perSecond: 20, burst: 200 }
const TIMEOUT_MS = 10 * SECOND_MS
/** Tag and length of an id, and of a head. */
const ITEM_BYTES = 4

const isHead = ({ byteLength }: Uint8Array): boolean => byteLength > 0 && byteLength <= MAX_HEAD_BYTES

/** Says which libraries are watched, and gets their heads (method 32). */
export const watchHeads = declareRequest({
  method: 32,
  name: 'heads.watch',
  request: declareMessage('watch heads request', generated.WatchHeadsRequest, {
    minBytes: 0,
    maxBytes: MAX_WATCHED * (LIBRARY_ID_BYTES + ITEM_BYTES),
    check: ({ libraries }) =>
      libraries.every(({ byteLength }) => byteLength === LIBRARY_ID_BYTES)
        ? undefined
        : `an id is not ${LIBRARY_ID_BYTES} bytes`
  }),
  response: declareMessage('watch heads response', generated.WatchHeadsResponse, {
    minBytes: 0,
    maxBytes: MAX_HEADS_PER_ANSWER * (MAX_HEAD_BYTES + ITEM_BYTES),
    check: ({ heads }) => (heads.every(isHead) ? undefined : 'a head is empty or too long')
  }),
  timeoutMs: TIMEOUT_MS
})

/** Tells who watches a library its new head (method 33). */
export const newHead = declareRequest({
  method: 33,
  name: 'heads.new',
  request: declareMessage('new head request', generated.NewHeadRequest, {
    minBytes: 4,
    maxBytes: MAX_HEAD_BYTES + ITEM_BYTES,
    check: ({ head }) => (isHead(head) ? undefined : 'the head is empty or too long')
  }),
  response: declareMessage('new head response', generated.NewHeadResponse, { minBytes: 0, maxBytes: KIB }),
  timeoutMs: TIMEOUT_MS
})
