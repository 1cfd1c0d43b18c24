import {
  createPrivateKey,
  createPublicKey,
  sign as cryptoSign,
  verify as cryptoVerify,
  generateKeyPairSync,
  type KeyObject,
  randomBytes
} from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { CatalogError, LruCache } from '../base/index.ts'
import {
  isPlausiblePublicKey,
  isPublicKey,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
  SIGNATURE_BYTES
} from './ed25519.ts'
import { bytesEqual, domainPrefix, plainBytes } from './hash.ts'

/** DER of an Ed25519 PKCS#8 private key and SPKI public key up to their 32 bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
/** Keys that were used last: making one ready takes a fifth of a verification, and a library has far fewer publishers than records. */
const READY_KEYS = new LruCache<string, KeyObject>({ maxEntries: 256 })
/** Multicodec `ed25519-pub` (0xed) as a varint, before the key bytes in the text form. */
const ED25519_PUB_CODEC = Uint8Array.of(0xed, 0x01)
const DID_PREFIX = 'did:key:'
/** A PEM of an Ed25519 key is about 120 bytes, encrypted about 300; bags of attributes are allowed for, no more. */
const MAX_PEM_CHARS = 8 * 1024
/** A domain is a constant of the code, never data. */
const DOMAIN_FORM = /^[a-z][a-z0-9-]{0,31}$/

/** What signs: a key that is unlocked here, or a stand-in that asks for the signature elsewhere. */
export interface Signer {
  /** Raw 32-byte Ed25519 public key. */
  readonly publicKey: Uint8Array
  /** 64-byte Ed25519 signature over `catalog/<domain>/1\0` and `bytes`. */
  sign(domain: string, bytes: Uint8Array): Uint8Array
}

/**
 * An unlocked Ed25519 key pair. It signs only with a domain, so that a signature made for one purpose is worthless for
 * every other. The seed leaves it by name only (`exportSeed`, `exportPem`): JSON and logs show the public key.
 */
export class SigningKey implements Signer {
  readonly publicKey: Uint8Array
  readonly #private: KeyObject
  readonly #seed: Uint8Array

  private constructor(privateKey: KeyObject) {
    this.#private = privateKey
    this.#seed = plainBytes(privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(PKCS8_PREFIX.length))
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
    this.publicKey = plainBytes(spki.subarray(SPKI_PREFIX.length))
  }

  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync('ed25519').privateKey)
  }

  /** From the 32-byte seed (RFC 8032 calls it the private key). Throws KEY_INVALID. */
  static fromSeed(seed: Uint8Array): SigningKey {
    if (seed.byteLength !== SEED_BYTES) {
      throw new CatalogError('KEY_INVALID', `an Ed25519 seed has ${SEED_BYTES} bytes, not ${seed.byteLength}`)
    }
    const der = Buffer.concat([PKCS8_PREFIX, seed])
    return new SigningKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  }

  /** From a PKCS#8 PEM, plain or encrypted. Throws KEY_INVALID, or KEY_LOCKED when the passphrase is missing or wrong. */
  static fromPem(pem: string, passphrase?: string): SigningKey {
    const encrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
    if (pem.length > MAX_PEM_CHARS || !(encrypted || pem.includes('-----BEGIN PRIVATE KEY-----'))) {
      throw new CatalogError('KEY_INVALID', 'this is not a PKCS#8 PEM ("BEGIN PRIVATE KEY")')
    }
    if (encrypted && passphrase === undefined) {
      throw new CatalogError('KEY_LOCKED', 'the PEM is encrypted and no passphrase was given')
    }
    const key = readPrivatePem(pem, encrypted ? passphrase : undefined)
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new CatalogError(
        'KEY_INVALID',
        `the PEM holds a key of type ${key.asymmetricKeyType}, not ed25519`
      )
    }
    return new SigningKey(key)
  }

  sign(domain: string, bytes: Uint8Array): Uint8Array {
    return plainBytes(cryptoSign(null, inDomain(domain, bytes), this.#private))
  }

  /** PKCS#8 PEM; encrypted (PBES2, AES-256-CBC) when a passphrase is given. */
  exportPem(passphrase?: string): string {
    const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
    return this.#private.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString()
  }

  /** A copy of the 32-byte seed. */
  exportSeed(): Uint8Array {
    return this.#seed.slice()
  }

  toJSON(): { publicKey: string } {
    return { publicKey: formatPublicKey(this.publicKey) }
  }
}

function readPrivatePem(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (cause) {
    if (passphrase !== undefined)
      throw new CatalogError('KEY_LOCKED', 'the passphrase does not open the PEM', { cause })
    throw new CatalogError('KEY_INVALID', 'the PEM cannot be read', { cause })
  }
}

function inDomain(domain: string, bytes: Uint8Array): Uint8Array {
  if (!DOMAIN_FORM.test(domain)) throw new CatalogError('INTERNAL', `"${domain}" is no signature domain`)
  return Buffer.concat([domainPrefix(domain), bytes])
}

/** Signs `catalog/<domain>/1\0` and `bytes`. */
export function signWithDomain(signer: Signer, domain: string, bytes: Uint8Array): Uint8Array {
  return signer.sign(domain, bytes)
}

/**
 * True only for a valid signature by a well-formed key (ed25519.ts); never throws for what a peer may send. The
 * platform checks S < L, so nobody but the signer can make a second signature for the same bytes.
 */
export function verifyWithDomain(
  publicKey: Uint8Array,
  domain: string,
  bytes: Uint8Array,
  signature: Uint8Array
): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES || !isPlausiblePublicKey(publicKey)) return false
  return cryptoVerify(null, inDomain(domain, bytes), readyKey(publicKey), signature)
}

/** The platform's form of a public key. */
function readyKey(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1')
  const known = READY_KEYS.get(name)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  READY_KEYS.set(name, key)
  return key
}

/** The text form of a public key: multibase base58btc of the multicodec `ed25519-pub` and the key, `z6Mk…`. */
export function formatPublicKey(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES) {
    throw new CatalogError('KEY_INVALID', `an Ed25519 public key has ${PUBLIC_KEY_BYTES} bytes`)
  }
  return base58btc.encode(Buffer.concat([ED25519_PUB_CODEC, publicKey]))
}

/** Reads `z6Mk…`, or the same as a DID (`did:key:z6Mk…`). Throws KEY_INVALID. */
export function parsePublicKey(text: string): Uint8Array {
  const bare = text.startsWith(DID_PREFIX) ? text.slice(DID_PREFIX.length) : text
  const bytes = decodeMultibase(bare)
  if (bytes?.byteLength !== ED25519_PUB_CODEC.byteLength + PUBLIC_KEY_BYTES) throw notAKey(text)
  if (!bytesEqual(bytes.subarray(0, ED25519_PUB_CODEC.byteLength), ED25519_PUB_CODEC)) throw notAKey(text)
  const key = bytes.slice(ED25519_PUB_CODEC.byteLength)
  if (!isPublicKey(key)) throw notAKey(text)
  return key
}

/** Base58 costs the square of its length, so the length is checked first: a key has 48 characters. */
function decodeMultibase(text: string): Uint8Array | undefined {
  if (!/^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)) return undefined
  return base58btc.decode(text)
}

function notAKey(text: string): CatalogError {
  return new CatalogError('KEY_INVALID', `"${text.slice(0, 80)}" is not an Ed25519 public key`, {
    hint: 'a key is written z6Mk… (48 characters); `catalog key list` shows those of this home'
  })
}

/** SPKI PEM of a public key. */
export function exportPublicPem(publicKey: Uint8Array): string {
  const der = Buffer.concat([SPKI_PREFIX, publicKey])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
    .export({ type: 'spki', format: 'pem' })
    .toString()
}

/** Random bytes from the system, for salts and nonces. */
export function secureRandom(sizeBytes: number): Uint8Array {
  return plainBytes(randomBytes(sizeBytes))
}
