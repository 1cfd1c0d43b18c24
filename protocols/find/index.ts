/**
 * find/1: a node asks another "who holds this key, and which peers do you know that are nearer to it?". Goals: one round
 * trip, an answer of bounded size whose addresses are signed by the providers themselves. Not its business: whether a provider
 * really holds anything (the asker finds out), and walking from peer to peer (discovery/).
 * In: a key and two wishes. Out: providers with the age of their claims, and nearer peers.
 */
import type { ExchangeType } from '../exchange/index.ts'
import type { FindRequest, FindResponse } from './messages.js'
import { findRequest, findResponse } from './wire.ts'

export type { CloserPeer, FindRequest, FindResponse, FoundProvider } from './messages.js'
export { fittingCloser, MAX_CLOSER_PEERS, MAX_FOUND_BYTES, MAX_FOUND_PROVIDERS } from './wire.ts'

export const FIND: ExchangeType<FindRequest, FindResponse> = {
  name: 'find',
  version: 1,
  request: findRequest,
  response: findResponse
}
