import { createHash } from 'node:crypto'
import { decode, encode } from '@ipld/dag-cbor'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { CatalogError } from '../base/index.ts'

/**
 * An invite: one line of text that lets a new node join a network: which network, whom to dial, and optionally a grant
 * (a signed permission, opaque here). It holds no secret: whoever reads it learns addresses, nothing more.
 *
 * `catalog1:` + base64url( DAG-CBOR {n, a, g?} + first 4 bytes of SHA-256 over prefix and DAG-CBOR ). The 1 is the version of
 * the form; the checksum tells a cut or mistyped invite from a good one.
 */
export interface Invite {
  /** The network's id: every protocol name carries it. */
  networkId: string
  /** Whom to dial, best first; 1 to 16. */
  addresses: Multiaddr[]
  /** A signed grant to show when joining, at most 4 KiB. */
  grant?: Uint8Array
}

const PREFIX = 'catalog1:'
const CHECKSUM_BYTES = 4
/** A network id is a short label: it stands in each protocol name of each stream. */
const MAX_NETWORK_ID_BYTES = 64
/** A newcomer needs a few peers that answer, not a list of the network. */
const MAX_ADDRESSES = 16
/** The longest sensible multiaddr is /dns6 with a full name and a peer id. */
const MAX_ADDRESS_BYTES = 512
const MAX_GRANT_BYTES = 4096
/** All of the above in base64 with room for CBOR's framing; longer input is refused before it is decoded. */
const MAX_TEXT_CHARS = 20_000

/** Makes the invite's text. Throws INVALID_ARGUMENT when a field breaks its bounds. */
export function encodeInvite(invite: Invite): string {
  const problem = boundsProblem(invite)
  if (problem !== undefined) throw new CatalogError('INVALID_ARGUMENT', `invite: ${problem}`)
  const body = encode({
    n: invite.networkId,
    a: invite.addresses.map(address => address.bytes),
    ...(invite.grant === undefined ? {} : { g: invite.grant })
  })
  return PREFIX + Buffer.concat([body, checksum(body)]).toString('base64url')
}

/** Reads an invite; white space around it and in it (from a wrapped line) is ignored. Throws INVITE_INVALID. */
export function decodeInvite(text: string): Invite {
  if (text.length > MAX_TEXT_CHARS) throw invalid(`is longer than ${MAX_TEXT_CHARS} characters`)
  const joined = text.replaceAll(/\s/g, '')
  if (!joined.startsWith(PREFIX)) throw invalid(prefixProblem(joined))
  const encoded = joined.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) throw invalid('holds characters that no invite has')
  if (bytes.length <= CHECKSUM_BYTES) throw invalid('is cut off')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES)))
    throw invalid('is cut off or damaged (checksum)')
  const invite = parseBody(body)
  const problem = boundsProblem(invite)
  if (problem !== undefined) throw invalid(problem)
  return invite
}

const invalid = (problem: string, cause?: unknown): CatalogError =>
  new CatalogError('INVITE_INVALID', `the invite ${problem}`, { cause })

const prefixProblem = (text: string): string =>
  /^catalog\d+:/.test(text)
    ? `is of form ${text.slice(0, text.indexOf(':'))}, which this version of Catalog does not read`
    : `does not start with ${PREFIX}`

const checksum = (body: Uint8Array): Buffer =>
  createHash('sha256').update(PREFIX).update(body).digest().subarray(0, CHECKSUM_BYTES)

/** The fields of a body whose checksum was right: still anybody's bytes, so each is checked. */
function parseBody(body: Uint8Array): Invite {
  let fields: unknown
  try {
    fields = decode(body)
  } catch (cause) {
    throw invalid('does not hold what an invite holds', cause)
  }
  if (typeof fields !== 'object' || fields === null) throw invalid('does not hold what an invite holds')
  const { n, a, g } = fields as Record<string, unknown>
  if (typeof n !== 'string') throw invalid('has no network id')
  if (!Array.isArray(a)) throw invalid('has no addresses')
  if (g !== undefined && !(g instanceof Uint8Array)) throw invalid('has a grant that is not bytes')
  const addresses = a.slice(0, MAX_ADDRESSES + 1).map(parseAddress)
  return g === undefined ? { networkId: n, addresses } : { networkId: n, addresses, grant: g }
}

function parseAddress(bytes: unknown): Multiaddr {
  if (!(bytes instanceof Uint8Array) || bytes.length > MAX_ADDRESS_BYTES)
    throw invalid('has an address that is none')
  try {
    return multiaddr(bytes)
  } catch (cause) {
    throw invalid('has an address that is none', cause)
  }
}

/** What is wrong with an invite's fields, or undefined. The same bounds on the way in and out. */
function boundsProblem(invite: Invite): string | undefined {
  const idBytes = Buffer.byteLength(invite.networkId)
  if (idBytes < 1 || idBytes > MAX_NETWORK_ID_BYTES)
    return `has a network id that is not 1 to ${MAX_NETWORK_ID_BYTES} bytes`
  if (invite.addresses.length < 1 || invite.addresses.length > MAX_ADDRESSES)
    return `has ${invite.addresses.length} addresses instead of 1 to ${MAX_ADDRESSES}`
  if (invite.addresses.some(({ bytes }) => bytes.length < 1 || bytes.length > MAX_ADDRESS_BYTES))
    return `has an address that is not 1 to ${MAX_ADDRESS_BYTES} bytes`
  if (invite.grant !== undefined && invite.grant.length > MAX_GRANT_BYTES)
    return `has a grant larger than ${MAX_GRANT_BYTES} bytes`
  return undefined
}
