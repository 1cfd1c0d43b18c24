/**
 * Small checks that the table of release fields is made of (release-fields.ts). A check takes a decoded value and where it
 * stands, and throws RECORD_INVALID with `details.field`. Each depends on nothing but its arguments: no clock, no list that
 * grows, no package whose next version might decide otherwise. Two nodes must always agree on what is valid.
 */
import { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { RECORD_LIMITS } from './limits.ts'

export type Check = (value: unknown, field: string) => void

const RAW_CODE = 0x55
const DAG_CBOR_CODE = 0x71
const SHA256_CODE = 0x12

export function refuse(field: string, what: string): never {
  throw new CatalogError('RECORD_INVALID', `${field} ${what}`, { details: { field } })
}

const utf8Bytes = (text: string): number => Buffer.byteLength(text, 'utf8')

/** Control characters could drive a terminal; a byte order mark is dropped by some decoders. `lines` allows \n and \t. */
const LINE_FORM = /^[^\p{Cc}\u2028\u2029\ufeff]*$/u
const LINES_FORM = /^(?:[\n\t]|[^\p{Cc}\u2028\u2029\ufeff])*$/u

export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    CID.asCID(value) === null
  )
}

export function text(options: {
  maxBytes: number
  form?: RegExp
  lines?: boolean
  /** Of what form it should be, for the message. */
  what?: string
}): Check {
  const characters = options.lines === true ? LINES_FORM : LINE_FORM
  return (value, field) => {
    if (typeof value !== 'string') refuse(field, 'is not text')
    if (value === '') refuse(field, 'is empty')
    if (utf8Bytes(value) > options.maxBytes) refuse(field, `is longer than ${options.maxBytes} bytes`)
    if (!value.isWellFormed() || !characters.test(value)) refuse(field, 'has a control character')
    if (options.form?.test(value) === false)
      refuse(field, `is not ${options.what ?? 'of the form it must have'}`)
  }
}

export function oneOf(values: readonly string[]): Check {
  return (value, field) => {
    if (!values.includes(value as string)) refuse(field, `is none of ${values.join(', ')}`)
  }
}

export function integer(min: number, max: number): Check {
  return (value, field) => {
    if (!Number.isSafeInteger(value)) refuse(field, 'is not an integer')
    if ((value as number) < min || (value as number) > max) refuse(field, `is not within ${min} and ${max}`)
  }
}

export function bytes(minBytes: number, maxBytes: number): Check {
  return (value, field) => {
    if (!(value instanceof Uint8Array)) refuse(field, 'is not a byte string')
    if (value.byteLength >= minBytes && value.byteLength <= maxBytes) return
    refuse(
      field,
      minBytes === maxBytes ? `has not ${minBytes} bytes` : `has not ${minBytes} to ${maxBytes} bytes`
    )
  }
}

export function list(item: Check, max: number): Check {
  return (value, field) => {
    if (!Array.isArray(value)) refuse(field, 'is not a list')
    if (value.length > max) refuse(field, `has more than ${max} entries`)
    for (const [at, entry] of value.entries()) item(entry, `${field}[${at}]`)
  }
}

/** Keys are printable ASCII that begins with a letter, digit or @, which keeps `__proto__` out. */
const KEY_FORM = /^[A-Za-z0-9@][!-~]*$/

export function mapOf(item: Check, max: number): Check {
  return (value, field) => {
    if (!isMap(value)) refuse(field, 'is not a map')
    const entries = Object.entries(value)
    if (entries.length > max) refuse(field, `has more than ${max} entries`)
    for (const [key, entry] of entries) {
      if (key.length > RECORD_LIMITS.wordBytes || !KEY_FORM.test(key)) {
        refuse(field, `has a key that is not 1 to ${RECORD_LIMITS.wordBytes} printable ASCII characters`)
      }
      item(entry, `${field}.${key}`)
    }
  }
}

/** Anything that a record can hold: the scan has bounded it. */
export const anything: Check = () => {}

/** A CIDv1, SHA-256, of one of the codecs that name content or records. */
export const cid: Check = (value, field) => {
  const id = CID.asCID(value)
  if (id === null) refuse(field, 'is not a CID')
  const isKnown = id.code === RAW_CODE || id.code === DAG_CBOR_CODE
  if (id.version !== 1 || !isKnown || id.multihash.code !== SHA256_CODE) {
    refuse(field, 'is not a CIDv1 raw or dag-cbor with SHA-256')
  }
  if (id.bytes.byteLength !== RECORD_LIMITS.cidBytes) refuse(field, 'has a digest of the wrong length')
}

/** A relative path that stays inside the content on every platform. */
export const relativePath: Check = (value, field) => {
  text({ maxBytes: RECORD_LIMITS.entryPointBytes })(value, field)
  const path = value as string
  if (path.includes('\\')) refuse(field, 'has a backslash')
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) refuse(field, 'is not relative')
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    refuse(field, 'has an empty, "." or ".." part')
  }
}

/** Schemes that a person may safely click; no credentials in a URL of the web. */
const LINK_FORM =
  /^(?:(?:https?|git|git\+https|ipfs|ipns):\/\/[A-Za-z0-9._~%[\]:-]+(?:[/?#][!#-;=?-[\]_a-z~|]*)?|(?:ssh|git\+ssh):\/\/(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._[\]:-]+(?:\/[!#-;=?-[\]_a-z~]*)?|mailto:[!#-;=?-[\]_a-z~]+)$/

export const link: Check = text({
  maxBytes: RECORD_LIMITS.linkBytes,
  form: LINK_FORM,
  what: 'a URL of http, https, git, ssh, ipfs or mailto without a password'
})
