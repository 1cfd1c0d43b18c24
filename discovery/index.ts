/**
 * Discovery: who holds what. It announces keys of names and content to the peers nearest to them, keeps the claims of others
 * that are near this node, and finds holders of a key (docs/discovery.md teaches how). It does not decide what is announced,
 * does not fetch anything, and does not believe a holder: whether it has what it claims, the fetch shows. In: libp2p with kad-dht,
 * the node's database, keys. Out: holders with addresses they signed, acknowledgements, and invites to a network.
 */
export type {
  AnnounceOptions,
  AnnounceProgress,
  AnnounceResult
} from './announce/announcer.ts'
export type { AnnounceTrace } from './announce/delivery.ts'
export type { KeySource, SweepStats } from './announce/sweeper.ts'
export {
  createDiscovery,
  type Discovery,
  type DiscoveryModules,
  type DiscoveryOptions,
  type DiscoveryStats,
  type DiscoveryWhy
} from './discovery.ts'
export type { FindOptions, FindTrace, Holder } from './find/finder.ts'
export { decodeInvite, encodeInvite, type Invite } from './invite.ts'
export { closedKey, contentKey, type KeyKind, keyText, libraryKey, nameKey, recordKey } from './keys.ts'
export { displayNetwork, isLocalAddress, networkOf, networkPrefix } from './peers/network-prefix.ts'
