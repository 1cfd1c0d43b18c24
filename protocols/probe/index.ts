/**
 * Indirect probes, as one request of control/1 (method 64): a peer that has lost others asks those it has left whether they answer
 * them. Whom to ask, and what follows from the answers, is not its business (`topology/partition`); an answer is one peer's word.
 * In: peer ids and a peer to ask. Out: what that one says of each.
 */
export { askProbe } from './client.ts'
export { type Probed, type ProbeServerModules, serveProbes } from './server.ts'
export { MAX_PROBED, type ProbeVerdict, probePeers } from './types.ts'
