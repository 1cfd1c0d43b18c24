import { KIB, SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Contents that one question is about; also in messages.proto. */
export const MAX_ASKED_CONTENTS = 256
/** Contents of each kind that are told at once; also in messages.proto. */
export const MAX_TOLD_CONTENTS = 64
/** Contents that one peer may ask about: a hundred thousand in five minutes, of which each costs a look at a map. */
export const ASK_RATE: PeerRate = { perSecond: 400, burst: 20_000 }
/** Contents that one peer may tell of: each may make this node ask for a proof. */
export const TELL_RATE: PeerRate = { perSecond: 20, burst: 2000 }
/** Version, codec, hash code and length, 32 bytes. */
const CONTENT_CID_BYTES = 36
const TIMEOUT_MS = 10 * SECOND_MS
/** Tag and length of a CID. */
const ITEM_BYTES = 2

const areContents = (contents: readonly Uint8Array[]): string | undefined =>
  contents.every(({ byteLength }) => byteLength === CONTENT_CID_BYTES)
    ? undefined
    : `a content is not ${CONTENT_CID_BYTES} bytes`

/** Which of some contents a peer holds for good (method 80). */
export const askHoldings = declareRequest({
  method: 80,
  name: 'holdings.ask',
  request: declareMessage('ask holdings request', generated.AskHoldingsRequest, {
    minBytes: CONTENT_CID_BYTES + ITEM_BYTES,
    maxBytes: MAX_ASKED_CONTENTS * (CONTENT_CID_BYTES + ITEM_BYTES),
    check: ({ contents }) => areContents(contents)
  }),
  response: declareMessage('ask holdings response', generated.AskHoldingsResponse, {
    minBytes: 0,
    maxBytes: MAX_ASKED_CONTENTS / 8 + ITEM_BYTES
  }),
  timeoutMs: TIMEOUT_MS
})

/** Says what is held from now on, and what no more (method 81). */
export const tellHoldings = declareRequest({
  method: 81,
  name: 'holdings.tell',
  request: declareMessage('tell holdings request', generated.TellHoldingsRequest, {
    minBytes: CONTENT_CID_BYTES + ITEM_BYTES,
    maxBytes: 2 * MAX_TOLD_CONTENTS * (CONTENT_CID_BYTES + ITEM_BYTES),
    check: ({ held, gone }) => areContents([...held, ...gone])
  }),
  response: declareMessage('tell holdings response', generated.TellHoldingsResponse, {
    minBytes: 0,
    maxBytes: KIB
  }),
  timeoutMs: TIMEOUT_MS
})

/** One bit for each, the lowest of a byte first. */
export function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, at) => {
    if (bit) bytes[at >> 3]! |= 1 << (at & 7)
  })
  return bytes
}

/** The same back; a bit that is not there is none. */
export const isBitSet = (bytes: Uint8Array, at: number): boolean =>
  (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) === 1
