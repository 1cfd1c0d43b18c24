/**
 * Exchange: protocols of short streams, the frame of `provide` and `find`. It opens and answers streams, bounds sizes before
 * decoding, the rate of each peer, and the time of each step; what is asked and answered is the business of the protocol.
 * In: a declared pair of messages and an answer function, or a peer to ask. Out: checked messages, or a CatalogError.
 */
export { ExchangeClient, type ExchangeTarget } from './client.ts'
export { type PeerRate, PeerRates } from './peer-rates.ts'
export {
  type Asker,
  type ExchangeServerModules,
  type ExchangeServerOptions,
  serveExchange
} from './server.ts'
export type { ExchangeType, TracedRequest } from './types.ts'
