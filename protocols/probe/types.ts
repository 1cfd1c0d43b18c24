import { SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Peers of one probe; also in messages.proto. As many as tell whether a part of the network is gone. */
export const MAX_PROBED = 16
/** A multihash of an Ed25519 key has 38 bytes, those of other keys 34 to 42. */
const MIN_PEER_ID_BYTES = 34
const MAX_PEER_ID_BYTES = 42
/** Tag and length of an id; fields of an answer with theirs. */
const ITEM_BYTES = 4
const ANSWER_BYTES = 12
/** Peers that one peer may ask about: who has lost many asks a few times within seconds, and then not for long. */
export const PROBE_RATE: PeerRate = { perSecond: 1, burst: 64 }
/** A ping that takes all of its time, and the way there and back. */
const TIMEOUT_MS = 3 * SECOND_MS

/** What a peer says of another: on the wire its number. */
export const PROBE_VERDICTS = ['unknown', 'reached', 'silent'] as const
export type ProbeVerdict = (typeof PROBE_VERDICTS)[number]

const isPeerId = ({ byteLength }: Uint8Array): boolean =>
  byteLength >= MIN_PEER_ID_BYTES && byteLength <= MAX_PEER_ID_BYTES

/** Asks whether peers answer the one that is asked (method 64). */
export const probePeers = declareRequest({
  method: 64,
  name: 'peers.probe',
  request: declareMessage('probe request', generated.ProbeRequest, {
    minBytes: MIN_PEER_ID_BYTES,
    maxBytes: MAX_PROBED * (MAX_PEER_ID_BYTES + ITEM_BYTES),
    check: ({ peers }) => (peers.every(isPeerId) ? undefined : 'a peer id is too short or too long')
  }),
  response: declareMessage('probe response', generated.ProbeResponse, {
    minBytes: 0,
    maxBytes: MAX_PROBED * (ANSWER_BYTES + ITEM_BYTES)
  }),
  timeoutMs: TIMEOUT_MS
})
