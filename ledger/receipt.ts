/**
 * A receipt: the statement of a node that it took content from another, one canonical DAG-CBOR map (docs/wire.md, "Receipts"):
 *
 *   format    `catalog-receipt/1`
 *   node      public key of who took, 32 bytes; it signs
 *   giver     public key of who gave, 32 bytes
 *   bytes     of public content that the giver gave to it, as it measured them and as far as they still count there
 *   sequence  when it was signed, ms since the epoch, and more than the one before
 *   expires   until when it counts, at most 7 days after `sequence`
 *   sig       Ed25519 signature of the key `node`, domain `receipt`, over the map without `sig`
 *
 * `bytes` is what has not faded rather than a total: a total would count for ever, and would tell everybody how much a node took in
 * all its life. Nothing keeps two nodes from signing for each other what never was; what a receipt is worth then is in hints.ts.
 */
import { DAY_MS } from '../base/index.ts'
import { check, isTimely, must, nextSequence, RECORD_LIMITS, SignedMap } from '../library/index.ts'
import { bytesEqual, type Signer } from '../trust/index.ts'

/** Twice what a receipt takes, so that fields can be added. Checked before decoding. */
export const MAX_RECEIPT_BYTES = 512
/** Who gave nothing for so long has no receipts, as what it gave counts half with the nodes that measured it. */
export const MAX_RECEIPT_LIFETIME_MS = 7 * DAY_MS

export interface ReceiptStatement {
  readonly giver: Uint8Array
  readonly bytes: number
  /** Milliseconds since the epoch, like `expires`. */
  readonly sequence: number
  readonly expires: number
}

/** A receipt whose form and signature hold. */
export interface Receipt extends ReceiptStatement {
  readonly node: Uint8Array
}

const PUBLIC_KEY_BYTES = 32
const instant = must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs))

const RECEIPT_MAP = new SignedMap<Receipt>({
  name: 'catalog-receipt',
  domain: 'receipt',
  title: 'receipt',
  code: 'RECEIPT_INVALID',
  maxBytes: MAX_RECEIPT_BYTES,
  signer: 'node',
  fields: {
    giver: must(check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)),
    bytes: must(check.integer(1, Number.MAX_SAFE_INTEGER)),
    sequence: instant,
    expires: instant
  },
  fault: ({ node, giver, sequence, expires }) => {
    if (bytesEqual(node, giver)) return 'is for who signed it'
    return expires <= sequence || expires > sequence + MAX_RECEIPT_LIFETIME_MS
      ? 'does not expire within 7 days after it was signed'
      : undefined
  }
})

/** The bytes of a new receipt, good for as long as any may be. `last`: the sequence of the one before for the same giver. */
export function signReceipt(
  { giver, bytes }: Pick<ReceiptStatement, 'giver' | 'bytes'>,
  { nowMs, last }: { nowMs: number; last?: number | undefined },
  signer: Signer
): { bytes: Uint8Array; sequence: number } {
  const sequence = nextSequence(nowMs, last)
  const statement = { giver, bytes, sequence, expires: sequence + MAX_RECEIPT_LIFETIME_MS }
  return { bytes: RECEIPT_MAP.sign(statement, signer), sequence }
}

/**
 * Reads and verifies a receipt. Throws RECEIPT_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). Fields that this version does not
 * know are signed with the rest.
 */
export const decodeReceipt = (bytes: Uint8Array): Receipt => {
  const { node, giver, bytes: taken, sequence, expires } = RECEIPT_MAP.decode(bytes)
  return { node, giver, bytes: taken, sequence, expires }
}

/** Whether a receipt counts at a moment: it has not expired, and is not of a time to come. */
export const isCurrent = ({ sequence, expires }: ReceiptStatement, nowMs: number): boolean =>
  nowMs < expires && isTimely(sequence, nowMs)
