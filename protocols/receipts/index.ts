/**
 * Receipts: what nodes sign for each other of content that they took, as requests on the control stream. In and out: receipts as bytes; what they
 * say, and what that is worth, is for who asks and answers (`ledger/`).
 */
export { GIVE_RATE, giveReceipt, MAX_SHOWN_RECEIPTS, SHOW_RATE, showReceipts } from './types.ts'
