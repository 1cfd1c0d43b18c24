/**
 * Ledger: what this node gave to each peer and took from it, by its own measurement, and what follows: a score, credits, and the weight
 * with which a peer is served beside others. Amounts go in as they are measured, and receipts that peers show; scores and weights go out, and accounts to be kept, as rows. It
 * asks nobody, believes others little, and decides nothing but numbers: who measures, who keeps the rows and who serves by the weights is the node's business.
 */
export { type Account, type Amounts, NOTHING } from './account.ts'
export { type Changed, Ledger, MAX_ACCOUNTS, type Shown } from './ledger.ts'
export { PRIOR_BYTES } from './prior.ts'
export { decodeReceipt, isCurrent, type Receipt, signReceipt } from './receipt.ts'
export { accountKey, decodeAccount, encodeAccount, peerOfKey } from './rows.ts'
export { creditBytesOf, FORFEIT_MS, forfeitedUntilMs } from './standing.ts'
