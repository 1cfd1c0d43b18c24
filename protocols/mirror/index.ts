/**
 * Mirroring on the wire: what nodes tell each other so that each can decide what to hold, as requests on the control stream. In and out: member
 * records, columns of sketches and summaries as bytes, and verified releases; what they mean, and what follows, is for who asks and answers.
 */
export { DEMAND_RATE, tellDemand } from './demand.ts'
export {
  exchangeMembers,
  MAX_MEMBERS_PER_MESSAGE,
  MEMBER_KEY_BYTES,
  sketchMembers
} from './members.ts'
export { OFFER_RATE, OfferRefusal, offerRelease, wantedReleases } from './releases.ts'
export { askWanted, serveWanted, type WantedClientModules, type WantedServerModules } from './wanted.ts'
