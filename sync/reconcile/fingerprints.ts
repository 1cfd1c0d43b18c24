/**
 * Fingerprints: 4 bytes that stand for a hash in one session. Both sides encrypt the hash with a key that both nonces
 * made (AES-128, one block: a keyed permutation that nobody without the key can foresee) and keep the first 4 bytes. Two different hashes meet
 * with probability 2^-32; who publishes records cannot make them meet, since the key is another for every session, and
 * a peer gains nothing by it that it could not say outright. What was missed that way, the root shows in the end, and the
 * next comparison has another key.
 */
import { type Cipheriv, createCipheriv } from 'node:crypto'
import { domainPrefix, sha256 } from '../../trust/index.ts'

/** Says that nothing is there; a hash whose fingerprint would be 0 has 1. */
export const NO_FINGERPRINT = 0

const BLOCK_BYTES = 16
const SALT_PREFIX = domainPrefix('sync-salt')

export interface SaltParts {
  /** Of the side that opened the session, and of the other: 16 bytes. */
  readonly initiatorNonce: Uint8Array
  readonly responderNonce: Uint8Array
  /** Their peer ids, of any length. */
  readonly initiator: Uint8Array
  readonly responder: Uint8Array
}

/** SHA-256(`catalog/sync-salt/1\0` || both nonces || SHA-256 of both peer ids). */
export function saltOf({ initiatorNonce, responderNonce, initiator, responder }: SaltParts): Uint8Array {
  return sha256(SALT_PREFIX, initiatorNonce, responderNonce, sha256(initiator), sha256(responder))
}

/** Makes the fingerprints of one comparison. */
export class Fingerprinter {
  /** One object for all blocks: in ECB mode each is encrypted on its own, so it has no state that shows. */
  readonly #cipher: Cipheriv

  constructor(salt: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ecb', salt.subarray(0, BLOCK_BYTES), null)
    this.#cipher.setAutoPadding(false)
  }

  /** One for each hash; NO_FINGERPRINT where there is none. */
  of(hashes: ReadonlyArray<Uint8Array | undefined>): Uint32Array {
    const blocks = Buffer.alloc(hashes.length * BLOCK_BYTES)
    hashes.forEach((hash, index) => {
      if (hash !== undefined) blocks.set(hash.subarray(0, BLOCK_BYTES), index * BLOCK_BYTES)
    })
    const encrypted = this.#cipher.update(blocks)
    return Uint32Array.from(hashes, (hash, index) =>
      hash === undefined ? NO_FINGERPRINT : encrypted.readUInt32BE(index * BLOCK_BYTES) || 1
    )
  }
}
