/**
 * Heads: what makes a root somebody's word. A writer signs the root of its library after every change and once a day, in a chain
 * that cannot be rewound or forked unnoticed, and each head holds for a week. This folder makes and reads heads, judges those
 * that come, and keeps the last of each writer, evidence against those who told two stories, and a log of what the newest of
 * its own changed. It does not send or ask: heads come in as bytes, operations for the database go out.
 */
export { MAX_LOGGED_CHANGES, MAX_LOGGED_HEADS, readChanges } from './change-log.ts'
export {
  decodeHead,
  HEAD_LIFETIME_MS,
  type Head,
  type HeadStatement,
  signHead
} from './head.ts'
export {
  HeadStore,
  type HeadStoreModules,
  type HeadStoreOptions,
  type OwnSet,
  type TakenHead
} from './head-store.ts'
export { type HeadVerdict, isExpired, judgeHead } from './judge.ts'
export { libraryIdOf } from './library-id.ts'
export { isForgotten, isRenewalDue, type NextHead, nextHead, type OwnHead, RENEW_AFTER_MS } from './own.ts'
export {
  type Contradiction,
  forgetPlace,
  headKey,
  readEvidence,
  readHead,
  readHeadKeys,
  readOwnHead,
  type WriterOfLibrary
} from './rows.ts'
