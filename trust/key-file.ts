/**
 * The file of one publisher key: JSON, so that a person can see what it is, with the seed plain or sealed.
 *
 * Sealing: scrypt turns the passphrase and a random salt into a 256-bit key, AES-256-GCM encrypts the 32-byte seed with
 * it. The public key is authenticated as associated data, so nobody can swap the readable part of the file under the
 * sealed one. scrypt's cost stands in the file: it can be raised later without breaking old keys.
 */
import { createCipheriv, createDecipheriv, type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { CatalogError, KIB, MIB } from '../base/index.ts'
import { SEED_BYTES } from './ed25519.ts'
import { bytesEqual, domainPrefix, plainBytes } from './hash.ts'
import { formatPublicKey, parsePublicKey, SigningKey, secureRandom } from './keys.ts'

const FORMAT = 'catalog-key/1'
/** A key file is about 500 bytes. */
export const MAX_KEY_FILE_BYTES = 16 * KIB
const CIPHER = 'aes-256-gcm'
const CIPHER_KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** A file that asks for more memory than this is refused instead of stopping the machine. scrypt takes 128 * N * r bytes. */
const MAX_SCRYPT_MEMORY_BYTES = 512 * MIB

/** How hard a guess is. The default takes 128 MiB and about half a second. */
export interface ScryptCost {
  N: number
  r: number
  p: number
}
export const DEFAULT_SCRYPT_COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

interface SealedSeed {
  encryption: 'scrypt-aes-256-gcm'
  scrypt: ScryptCost
  salt: string
  nonce: string
  /** Ciphertext and tag. */
  sealed: string
}

export interface KeyFile {
  format: string
  publicKey: string
  createdAt: string
  secret: { encryption: 'none'; seed: string } | SealedSeed
}

/** What a key file says without its passphrase. */
export interface KeyInfo {
  name: string
  publicKey: Uint8Array
  createdAt: string
  encrypted: boolean
  isDefault: boolean
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const fromText = (text: string): Uint8Array => plainBytes(Buffer.from(text, 'base64'))

const scryptAsync = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

function deriveKey(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  const maxmem = 128 * cost.N * cost.r * 2
  return scryptAsync(passphrase.normalize('NFKC'), salt, CIPHER_KEY_BYTES, { ...cost, maxmem })
}

const associatedData = (publicKey: Uint8Array): Uint8Array =>
  Buffer.concat([domainPrefix('key-file'), publicKey])

async function seal(key: SigningKey, passphrase: string, cost: ScryptCost): Promise<SealedSeed> {
  const salt = secureRandom(SALT_BYTES)
  const nonce = secureRandom(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, await deriveKey(passphrase, salt, cost), nonce)
  cipher.setAAD(associatedData(key.publicKey))
  const sealed = Buffer.concat([cipher.update(key.exportSeed()), cipher.final(), cipher.getAuthTag()])
  return {
    encryption: 'scrypt-aes-256-gcm',
    scrypt: { ...cost },
    salt: toText(salt),
    nonce: toText(nonce),
    sealed: toText(sealed)
  }
}

async function unseal(
  file: KeyFile,
  secret: SealedSeed,
  passphrase: string,
  path: string
): Promise<Uint8Array> {
  const sealed = fromText(secret.sealed)
  const derived = await deriveKey(passphrase, fromText(secret.salt), secret.scrypt)
  const decipher = createDecipheriv(CIPHER, derived, fromText(secret.nonce), { authTagLength: TAG_BYTES })
  decipher.setAAD(associatedData(parsePublicKey(file.publicKey)))
  decipher.setAuthTag(sealed.subarray(SEED_BYTES))
  try {
    return plainBytes(Buffer.concat([decipher.update(sealed.subarray(0, SEED_BYTES)), decipher.final()]))
  } catch (cause) {
    throw new CatalogError('KEY_LOCKED', `the passphrase does not open the key in ${path}`, { cause })
  }
}

/** The file of a key, sealed when a passphrase is given. */
export async function encodeKeyFile(
  key: SigningKey,
  options: { createdAtMs: number; passphrase?: string | undefined; cost: ScryptCost }
): Promise<Uint8Array> {
  const secret: KeyFile['secret'] =
    options.passphrase === undefined
      ? { encryption: 'none', seed: toText(key.exportSeed()) }
      : await seal(key, options.passphrase, options.cost)
  const file: KeyFile = {
    format: FORMAT,
    publicKey: formatPublicKey(key.publicKey),
    createdAt: new Date(options.createdAtMs).toISOString(),
    secret
  }
  return plainBytes(Buffer.from(`${JSON.stringify(file, null, 2)}\n`))
}

/** Reads the form of a key file, not its secret. Throws KEY_INVALID; UNSUPPORTED for a newer format. */
export function decodeKeyFile(bytes: Uint8Array, path: string): KeyFile {
  let file: KeyFile
  try {
    file = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new CatalogError('KEY_INVALID', `${path} is not a key file`, { cause })
  }
  if (typeof file?.format === 'string' && file.format !== FORMAT && file.format.startsWith('catalog-key/')) {
    throw new CatalogError('UNSUPPORTED', `${path} was written by a newer Catalog (${file.format})`)
  }
  if (!isKeyFile(file)) throw new CatalogError('KEY_INVALID', `${path} is not a key file`)
  parsePublicKey(file.publicKey)
  return file
}

function isKeyFile(file: KeyFile): boolean {
  if (file?.format !== FORMAT || typeof file.publicKey !== 'string' || typeof file.createdAt !== 'string')
    return false
  const secret = file.secret
  if (secret?.encryption === 'none') return isBase64Of(secret.seed, SEED_BYTES)
  if (secret?.encryption !== 'scrypt-aes-256-gcm') return false
  return (
    isAllowedCost(secret.scrypt) &&
    isBase64Of(secret.salt, SALT_BYTES) &&
    isBase64Of(secret.nonce, NONCE_BYTES) &&
    isBase64Of(secret.sealed, SEED_BYTES + TAG_BYTES)
  )
}

const isBase64Of = (text: unknown, sizeBytes: number): boolean =>
  typeof text === 'string' && fromText(text).byteLength === sizeBytes

function isAllowedCost(cost: ScryptCost | undefined): boolean {
  const { N, r, p } = cost ?? {}
  if (!Number.isInteger(N) || !Number.isInteger(r) || !Number.isInteger(p)) return false
  const isPowerOfTwo = N! > 1 && (N! & (N! - 1)) === 0
  return isPowerOfTwo && r! >= 1 && p! >= 1 && p! <= 16 && 128 * N! * r! <= MAX_SCRYPT_MEMORY_BYTES
}

/** Unlocks a key file. Throws KEY_LOCKED without the right passphrase, KEY_INVALID when seed and public key differ. */
export async function openKeyFile(
  file: KeyFile,
  passphrase: string | undefined,
  path: string
): Promise<SigningKey> {
  let seed: Uint8Array
  if (file.secret.encryption === 'none') seed = fromText(file.secret.seed)
  else if (passphrase === undefined) throw new CatalogError('KEY_LOCKED', `the key in ${path} is encrypted`)
  else seed = await unseal(file, file.secret, passphrase, path)
  const key = SigningKey.fromSeed(seed)
  if (!bytesEqual(key.publicKey, parsePublicKey(file.publicKey))) {
    throw new CatalogError('KEY_INVALID', `the public key in ${path} does not belong to its secret`)
  }
  return key
}
