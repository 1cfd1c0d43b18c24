/**
 * Mirroring on the wire: what nodes tell each other so that each can decide what to hold, as requests on the control stream. In and out: member
 * records and columns of sketches as bytes; what they mean, and what follows, is for who asks and answers.
 */
export {
  exchangeMembers,
  MAX_MEMBERS_PER_MESSAGE,
  MEMBER_KEY_BYTES,
  sketchMembers
} from './types.ts'
