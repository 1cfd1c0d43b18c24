/**
 * Holdings: which contents nodes say that they hold for good, on the control stream. A node asks a peer about contents that matter to it,
 * and tells its peers when it has come to hold one or let go of one. In: contents, and whether one is held here. Out: claims of
 * peers, unproven.
 */
export { HoldingsExchange, type HoldingsModules, type HoldingsTold } from './exchange.ts'
export { askHoldings, MAX_ASKED_CONTENTS, tellHoldings } from './types.ts'
