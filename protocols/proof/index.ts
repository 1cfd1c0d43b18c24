/**
 * proof/1: a node has a peer prove that it can produce the bytes of a content now. Who has the content itself gets digests of samples that nobody
 * could know before, made for these two nodes; who has not gets the way from the content's CID down to samples that the peer cannot choose, with
 * their bytes. Everything is checked by hash here. Access is that of content/1: what a peer may not know of is not here. Not its business:
 * whom to challenge and when, what follows from the outcome (node/services/mirroring), and whether the peer reads from a disk of its own or
 * fetches the bytes from somewhere else in time.
 * In: peers, releases, the content store; out: proofs, or errors with a code, and the bytes that a holder says of itself.
 */
export type { ProvableRelease } from './asking.ts'
export { ByteMaps } from './byte-maps.ts'
export { ProofClient, type ProofClientModules, type ToldBytes } from './client.ts'
export { ProofServer, type ProofServerModules, type ProofServerOptions, type Told } from './server.ts'
export { PROOF } from './wire.ts'
