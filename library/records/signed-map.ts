/**
 * A signed map: what a node says of itself beside records, such as a head or that it volunteers to hold copies. One canonical DAG-CBOR map:
 *
 *   format   `NAME/1`
 *   …        fields of its kind, among them the public key of who says it
 *   sig      Ed25519 signature of that key, in the domain of its kind, over the map without `sig`
 *
 * Fields that this version does not know are signed with the rest. As of a record, its bytes are what is stored and passed on.
 */
import { CatalogError, type ErrorCode, toCatalogError } from '../../base/index.ts'
import { SIGNATURE_BYTES, type Signer, signWithDomain, verifyWithDomain } from '../../trust/index.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import * as check from './checks.ts'
import { checkFields, type Field, must, publicKey } from './fields.ts'

export interface SignedMapOptions<M> {
  /** Of the format, before its version. */
  readonly name: string
  /** Domain of the signature. */
  readonly domain: string
  /** What it is called in messages, and how it is refused. */
  readonly title: string
  readonly code: ErrorCode
  /** Checked before decoding. */
  readonly maxBytes: number
  /** The field that has the public key. */
  readonly signer: keyof M & string
  /** All others. */
  readonly fields: Readonly<Record<string, Field>>
  /** What is wrong between fields that are each as they should be: words that follow the title. */
  fault(map: M): string | undefined
}

/** One kind of signed maps. `M`: its fields, without `format` and `sig`. */
export class SignedMap<M extends object> {
  readonly #options: SignedMapOptions<M>
  readonly #format: string
  readonly #fields: Record<string, Field>

  constructor(options: SignedMapOptions<M>) {
    this.#options = options
    this.#format = `${options.name}/1`
    this.#fields = {
      ...options.fields,
      [options.signer]: must(publicKey),
      sig: must(check.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES))
    }
  }

  /** The bytes of a new one; whether readers would take them is for `decode` to say. Throws RECORD_INVALID for what DAG-CBOR cannot hold. */
  sign(statement: object, signer: Signer): Uint8Array {
    const unsigned = { format: this.#format, ...statement, [this.#options.signer]: signer.publicKey }
    const sig = signWithDomain(signer, this.#options.domain, encodeCanonical(unsigned))
    return encodeCanonical({ ...unsigned, sig })
  }

  /** Reads and verifies. Throws the code of its kind, SIGNATURE_INVALID, UNSUPPORTED (a later format). */
  decode(bytes: Uint8Array): M {
    const { domain, signer, title } = this.#options
    const map = this.#read(bytes)
    const { sig, ...unsigned } = map
    if (!verifyWithDomain(map[signer] as Uint8Array, domain, encodeCanonical(unsigned), sig as Uint8Array))
      throw new CatalogError('SIGNATURE_INVALID', `the signature of the ${title} does not hold`)
    return map as M
  }

  /** Reads what was verified before it was stored here. Throws the code of its kind, UNSUPPORTED. */
  decodeVerified(bytes: Uint8Array): M {
    return this.#read(bytes) as M
  }

  /** For who does something with the bytes before they are decoded. Throws the code of its kind. */
  expectSize(bytes: Uint8Array): void {
    if (bytes.byteLength > this.#options.maxBytes) throw this.#invalid(`has ${bytes.byteLength} bytes`)
  }

  #read(bytes: Uint8Array): Record<string, unknown> {
    this.expectSize(bytes)
    try {
      const map = decodeCanonical(bytes)
      if (!check.isMap(map)) throw this.#invalid('is not a map')
      this.#checkFormat(map.format)
      checkFields(map, this.#fields)
      const fault = this.#options.fault(map as M)
      if (fault !== undefined) throw this.#invalid(fault)
      return map
    } catch (thrown) {
      const error = toCatalogError(thrown)
      throw error.code === 'RECORD_INVALID' ? this.#invalid(`cannot be read: ${error.message}`) : error
    }
  }

  #checkFormat(format: unknown): void {
    if (format === this.#format) return
    const { name, title } = this.#options
    const version =
      typeof format === 'string' && format.startsWith(`${name}/`) && format.slice(name.length + 1)
    if (version === false || !/^[1-9]\d{0,3}$/.test(version)) throw this.#invalid('is none')
    throw new CatalogError('UNSUPPORTED', `the ${title} has the format ${format}`, {
      hint: `this node knows ${this.#format}; upgrade Catalog to read it`
    })
  }

  #invalid(what: string): CatalogError {
    return new CatalogError(this.#options.code, `the ${this.#options.title} ${what}`)
  }
}
