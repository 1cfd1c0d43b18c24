/**
 * Ledger: what this node gave to each peer and took from it, by its own measurement, and what follows: a score, credits, and the weight
 * with which a peer is served beside others. Amounts go in as they are measured; scores and weights go out, and accounts to be kept, as rows. It
 * asks nobody, believes nobody, and decides nothing but numbers: who measures, who keeps the rows and who serves by the weights is the node's business.
 */
export { type Account, type Amounts, NOTHING } from './account.ts'
export { type Changed, Ledger, MAX_ACCOUNTS } from './ledger.ts'
export { accountKey, decodeAccount, encodeAccount, peerOfKey } from './rows.ts'
export { creditBytesOf, FORFEIT_MS, forfeitedUntilMs, PRIOR_BYTES } from './standing.ts'
