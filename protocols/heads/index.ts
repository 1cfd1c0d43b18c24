/**
 * Heads: which libraries nodes watch at each other, and their new heads as they come, on the control stream. A peer says what it
 * watches and gets the heads of what is here of it; after that it is told each change, once a second at most for each library. In:
 * heads as bytes, and who is connected. Out: heads that peers tell, unverified.
 */
export { HeadExchange, type HeadExchangeModules } from './exchange.ts'
export { MAX_WATCHED, newHead, watchHeads } from './types.ts'
