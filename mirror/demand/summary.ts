/**
 * A demand summary: what one node has served most, in its own words, one canonical DAG-CBOR map (docs/mirror.md, "Demand"):
 *
 *   format    `catalog-demand/1`
 *   node      public key of the node, 32 bytes
 *   sequence  when it was signed, ms since the epoch, and more than the one before
 *   counts    at most 256 pairs [content, thousandths of a fetch], in the order of the bytes of the CIDs, each content once
 *   sig       Ed25519 signature of the node key, domain `demand`, over the map without `sig`
 *
 * It goes to direct peers and no further: who takes one takes it from the node that signed it. A node says only what it served of what
 * everybody may know of; the contents of closed libraries are in no summary.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, KIB, toCatalogError } from '../../base/index.ts'
import {
  check,
  checkFields,
  decodeCanonical,
  encodeCanonical,
  must,
  RECORD_LIMITS
} from '../../library/index.ts'
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  type Signer,
  signWithDomain,
  verifyWithDomain
} from '../../trust/index.ts'

const SUMMARY_FORMAT = 'catalog-demand/1'
const SIGNATURE_DOMAIN = 'demand'

/** What a node says of its own: enough to tell what is wanted, one message. */
export const MAX_SUMMARY_COUNTS = 256
/** 256 counts are 13 KB. Checked before decoding. */
export const MAX_SUMMARY_BYTES = 16 * KIB
const THOUSANDTHS = 1000
const MAX_THOUSANDTHS = 1e9

export interface SummaryCount {
  readonly content: CID
  /** Fetches, decayed to `sequence`. */
  readonly count: number
}

/** A summary whose form and signature hold. */
export interface DemandSummary {
  readonly node: Uint8Array
  /** Milliseconds since the epoch. */
  readonly sequence: number
  readonly counts: readonly SummaryCount[]
  readonly bytes: Uint8Array
}

const isCount: check.Check = (value, field) => {
  if (!Array.isArray(value) || value.length !== 2) check.refuse(field, 'is not a pair')
  check.cid(value[0], field)
  check.integer(1, MAX_THOUSANDTHS)(value[1], field)
}

const SUMMARY_FIELDS = {
  node: must(check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)),
  sequence: must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs)),
  counts: must(check.list(isCount, MAX_SUMMARY_COUNTS)),
  sig: must(check.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES))
}

interface SummaryMap {
  readonly node: Uint8Array
  readonly sequence: number
  readonly counts: ReadonlyArray<readonly [CID, number]>
  readonly sig: Uint8Array
}

/** Signs what was served most; counts of less than a thousandth are left out. Throws DEMAND_INVALID for more than 256. */
export function signSummary(
  counts: readonly SummaryCount[],
  sequence: number,
  signer: Signer
): DemandSummary {
  const pairs = counts
    .map(
      ({ content, count }) => [content, Math.min(MAX_THOUSANDTHS, Math.round(count * THOUSANDTHS))] as const
    )
    .filter(([, thousandths]) => thousandths > 0)
    .sort(([a], [b]) => Buffer.compare(a.bytes, b.bytes))
  const unsigned = { format: SUMMARY_FORMAT, node: signer.publicKey, sequence, counts: pairs }
  const sig = signWithDomain(signer, SIGNATURE_DOMAIN, encodeCanonical(unsigned))
  return decodeSummary(encodeCanonical({ ...unsigned, sig }))
}

/** Reads and verifies a summary. Throws DEMAND_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). */
export function decodeSummary(bytes: Uint8Array): DemandSummary {
  if (bytes.byteLength > MAX_SUMMARY_BYTES) throw invalid(`has ${bytes.byteLength} bytes`)
  const map = readMap(bytes)
  const { sig, ...unsigned } = map
  if (!verifyWithDomain(map.node, SIGNATURE_DOMAIN, encodeCanonical(unsigned), sig))
    throw new CatalogError('SIGNATURE_INVALID', 'the signature of the demand summary does not hold')
  const counts = map.counts.map(([content, thousandths]) => ({ content, count: thousandths / THOUSANDTHS }))
  return { node: map.node, sequence: map.sequence, counts, bytes: Uint8Array.from(bytes) }
}

function readMap(bytes: Uint8Array): SummaryMap {
  try {
    const map = decodeCanonical(bytes)
    if (!check.isMap(map)) throw invalid('is not a map')
    checkFormat(map.format)
    checkFields(map, SUMMARY_FIELDS)
    const summary = map as unknown as SummaryMap
    const contents = summary.counts.map(([content]) => CID.asCID(content)!.bytes)
    if (contents.some((content, at) => at > 0 && Buffer.compare(contents[at - 1]!, content) >= 0))
      throw invalid('has a content twice, or out of order')
    return summary
  } catch (thrown) {
    const error = toCatalogError(thrown)
    throw error.code === 'RECORD_INVALID' ? invalid(`cannot be read: ${error.message}`) : error
  }
}

function checkFormat(format: unknown): void {
  if (format === SUMMARY_FORMAT) return
  if (typeof format !== 'string' || !/^catalog-demand\/[1-9]\d{0,3}$/.test(format)) throw invalid('is none')
  throw new CatalogError('UNSUPPORTED', `the demand summary has the format ${format}`, {
    hint: `this node knows ${SUMMARY_FORMAT}; upgrade Catalog to read it`
  })
}

function invalid(what: string): CatalogError {
  return new CatalogError('DEMAND_INVALID', `the demand summary ${what}`)
}
