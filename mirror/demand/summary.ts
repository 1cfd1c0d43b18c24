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
import type { CID } from 'multiformats/cid'
import { KIB } from '../../base/index.ts'
import { check, must, RECORD_LIMITS, SignedMap } from '../../library/index.ts'
import type { Signer } from '../../trust/index.ts'

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

interface SummaryMap {
  readonly node: Uint8Array
  readonly sequence: number
  readonly counts: ReadonlyArray<readonly [CID, number]>
}

const SUMMARY_MAP = new SignedMap<SummaryMap>({
  name: 'catalog-demand',
  domain: 'demand',
  title: 'demand summary',
  code: 'DEMAND_INVALID',
  maxBytes: MAX_SUMMARY_BYTES,
  signer: 'node',
  fields: {
    sequence: must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs)),
    counts: must(check.list(isCount, MAX_SUMMARY_COUNTS))
  },
  fault: ({ counts }) =>
    counts.some(([content], at) => at > 0 && compareContents(counts[at - 1]![0], content) >= 0)
      ? 'has a content twice, or out of order'
      : undefined
})

const compareContents = (a: CID, b: CID): number => Buffer.compare(a.bytes, b.bytes)

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
    .sort(([a], [b]) => compareContents(a, b))
  return decodeSummary(SUMMARY_MAP.sign({ sequence, counts: pairs }, signer))
}

/** Reads and verifies a summary. Throws DEMAND_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). */
export function decodeSummary(bytes: Uint8Array): DemandSummary {
  const { node, sequence, counts } = SUMMARY_MAP.decode(bytes)
  return {
    node,
    sequence,
    counts: counts.map(([content, thousandths]) => ({ content, count: thousandths / THOUSANDTHS })),
    bytes: Uint8Array.from(bytes)
  }
}
