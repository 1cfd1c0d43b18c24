import { KIB } from '../../base/index.ts'
import { DHT_KEY_BYTES, MAX_PEER_RECORD_BYTES } from '../provide/wire.ts'
import { declareMessage } from '../wire/message.ts'
import {
  type CloserPeer,
  FindRequest as RequestMessage,
  FindResponse as ResponseMessage
} from './messages.js'

/** Providers in one answer; whoever wants more asks another node. */
export const MAX_FOUND_PROVIDERS = 20
/** Nearer peers in one answer: the k of Kademlia. */
export const MAX_CLOSER_PEERS = 20
/** Addresses of one nearer peer; the first ones are tried first. */
export const MAX_CLOSER_ADDRESSES = 8
/** The longest multiaddr that is passed on. */
export const MAX_ADDRESS_BYTES = 256
/** A peer id's multihash: 38 bytes for Ed25519, 34 for a hash. */
const MAX_PEER_ID_BYTES = 64
/** What the peer records of an answer may sum up to: 20 of the usual 300 bytes fit several times. */
export const MAX_FOUND_BYTES = 32 * KIB
/** What the nearer peers of an answer may sum up to: 20 of the usual 100 bytes fit several times. */
export const MAX_CLOSER_BYTES = 24 * KIB

/** A request of find/1. Wishes beyond the limits are cut down to them by the answerer, not refused. */
export const findRequest = declareMessage('find.request', RequestMessage, {
  minBytes: DHT_KEY_BYTES,
  maxBytes: KIB,
  check: ({ key }) => (key.length === DHT_KEY_BYTES ? undefined : `a key of ${key.length} bytes`)
})

/** The answer: providers with signed addresses (not verified here), and peers nearer to the key. */
export const findResponse = declareMessage('find.response', ResponseMessage, {
  minBytes: 0,
  maxBytes: MAX_FOUND_BYTES + MAX_CLOSER_BYTES + 8 * KIB,
  check({ providers, closer }) {
    if (providers.length > MAX_FOUND_PROVIDERS) return `${providers.length} providers`
    if (closer.length > MAX_CLOSER_PEERS) return `${closer.length} nearer peers`
    const bad = providers.find(({ peerRecord }) => !isWithin(peerRecord, MAX_PEER_RECORD_BYTES))
    if (bad !== undefined) return `a peer record of ${bad.peerRecord.length} bytes`
    return closer.map(closerProblem).find(problem => problem !== undefined)
  }
})

const isWithin = (bytes: Uint8Array, maxBytes: number): boolean =>
  bytes.length > 0 && bytes.length <= maxBytes

function closerProblem({ peerId, addresses }: CloserPeer): string | undefined {
  if (!isWithin(peerId, MAX_PEER_ID_BYTES)) return `a peer id of ${peerId.length} bytes`
  if (addresses.length > MAX_CLOSER_ADDRESSES) return `${addresses.length} addresses of one peer`
  const bad = addresses.find(address => !isWithin(address, MAX_ADDRESS_BYTES))
  return bad === undefined ? undefined : `an address of ${bad.length} bytes`
}

/** The first nearer peers that fit into an answer, each with its first addresses. */
export function fittingCloser(peers: CloserPeer[]): CloserPeer[] {
  let left = MAX_CLOSER_BYTES
  return peers
    .slice(0, MAX_CLOSER_PEERS)
    .map(({ peerId, addresses }) => ({
      peerId,
      addresses: addresses.filter(bytes => isWithin(bytes, MAX_ADDRESS_BYTES)).slice(0, MAX_CLOSER_ADDRESSES)
    }))
    .filter(({ peerId, addresses }) => {
      // 8 and 4: tags and lengths of protobuf, generously.
      left -= addresses.reduce((sum, { length }) => sum + length + 4, peerId.length + 8)
      return left >= 0
    })
}
