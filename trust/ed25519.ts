/**
 * Which 32 bytes are an Ed25519 public key.
 *
 * A public key is a point (x, y) of the twisted Edwards curve -x² + y² = 1 + dx²y² over the prime p = 2^255 - 19, written as
 * y in little-endian order with the sign of x in the top bit (RFC 8032, 5.1.2). The platform's verifier is laxer than the
 * RFC in two ways that would let nodes disagree, or let one signature fit many messages:
 *
 * - it accepts y >= p, so one point has two spellings, and one owner would have two names;
 * - it accepts the eight points whose order divides 8. For such a key a "signature" can be made that verifies for any
 *   message, without any secret.
 *
 * `isPlausiblePublicKey` refuses both by comparing bytes, cheap enough for every verification; a point off the curve
 * fails in the verifier itself. `isPublicKey` also checks the curve equation, for keys that a person enters.
 */
const P = 2n ** 255n - 19n
/** The constant d of the curve: -121665/121666 mod p. */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

export const PUBLIC_KEY_BYTES = 32
export const SEED_BYTES = 32
export const SIGNATURE_BYTES = 64

/** y of the points of order 8, up to its sign. */
const ORDER_8_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022n
/** y of the points of order 1, 2, 4 and 8 (the sign of x left out). */
const SMALL_ORDER_Y = new Set([0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y])

function decodeY(key: Uint8Array): bigint {
  const bigEndian = Buffer.from(key).reverse()
  bigEndian[0]! &= 0x7f
  return BigInt(`0x${bigEndian.toString('hex')}`)
}

/** 32 bytes, canonical, not of small order. Says nothing about the curve equation. */
export function isPlausiblePublicKey(key: Uint8Array): boolean {
  if (key.byteLength !== PUBLIC_KEY_BYTES) return false
  const y = decodeY(key)
  return y < P && !SMALL_ORDER_Y.has(y)
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base % P
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

/** Plausible, and a point of the curve: x² = (y² - 1) / (dy² + 1) has a root (Euler's criterion; u/v and uv agree). */
export function isPublicKey(key: Uint8Array): boolean {
  if (!isPlausiblePublicKey(key)) return false
  const ySquared = decodeY(key) ** 2n % P
  const u = (ySquared - 1n + P) % P
  const v = (D * ySquared + 1n) % P
  return power(u * v, (P - 1n) / 2n) === 1n
}
