import { KIB, SECOND_MS } from '../../base/index.ts'
import { declareMessage, declareRequest } from '../wire/message.ts'
import * as generated from './messages.js'

/** Peers in one answer; the same limit stands in messages.proto. */
export const MAX_EXCHANGED_PEERS = 32
/** Addresses of one peer; the same limit stands in messages.proto. */
export const MAX_ADDRESSES_PER_PEER = 8
const MAX_PEER_ID_BYTES = 64
const MAX_ADDRESS_BYTES = 128

/**
 * Asks a peer for addresses of others (method 1), as a newcomer does. Peer ids and multiaddrs are bytes of strangers:
 * whoever dials them decides which addresses are acceptable.
 */
export const peerExchange = declareRequest({
  method: 1,
  name: 'peers.exchange',
  request: declareMessage('peer exchange request', generated.PeerExchangeRequest, {
    minBytes: 0,
    maxBytes: KIB,
    check: ({ limit }) =>
      limit < 1 || limit > MAX_EXCHANGED_PEERS ? `limit is not 1 to ${MAX_EXCHANGED_PEERS}` : undefined
  }),
  response: declareMessage('peer exchange response', generated.PeerExchangeResponse, {
    minBytes: 0,
    maxBytes: 48 * KIB,
    check: ({ peers }) =>
      peers.every(
        ({ peer, addresses }) =>
          peer.byteLength > 0 &&
          peer.byteLength <= MAX_PEER_ID_BYTES &&
          addresses.every(address => address.byteLength > 0 && address.byteLength <= MAX_ADDRESS_BYTES)
      )
        ? undefined
        : 'a peer id or address is empty or too long'
  }),
  timeoutMs: 5 * SECOND_MS
})
