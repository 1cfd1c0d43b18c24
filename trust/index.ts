/**
 * Trust: who said it. Ed25519 keys in all the forms Catalog reads and writes (raw, `z6Mk…` text, PEM, libp2p's
 * `node.key`), signatures that hold for one purpose only (domain separation), and the keyring of publisher keys on disk.
 * It does not know what is signed: records, heads and provider records come in as bytes and go out as 64-byte
 * signatures or a yes or no. Delegation, rotation and revocation of keys come with a later release.
 */
export * from './ed25519.ts'
export { bytesEqual, domainPrefix, sha256 } from './hash.ts'
export type { KeyInfo } from './key-file.ts'
export { Keyring } from './keyring.ts'
export {
  exportPublicPem,
  formatPublicKey,
  parsePublicKey,
  type Signer,
  SigningKey,
  signWithDomain,
  verifyWithDomain
} from './keys.ts'
export { createNodeKey, loadNodeKey, type NodeKey, nodeKeyOf } from './node-key.ts'
