/**
 * Demand counts at rest, for the time between two runs of a node (`md` in docs/disk-format.md):
 *
 *   "catalog-demand-counts/1\n"   24 bytes
 *   salt                          32 bytes
 *   time                          u64, ms since the epoch, that the counts are of
 *   rows                          CID 36 bytes, count f64, first origin u48, wide u8, last time u64: 59 bytes each, the largest count first
 *
 * Numbers are big-endian. Shares of origins are not kept: after a restart each may count once more.
 */
import { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { RECORD_LIMITS } from '../../library/index.ts'
import { type Count, DemandCounter, MAX_COUNTED } from './counter.ts'

const MAGIC = Buffer.from('catalog-demand-counts/1\n')
export const SALT_BYTES = 32
const HEAD_BYTES = MAGIC.byteLength + SALT_BYTES + 8
const CID_BYTES = 36
const ROW_BYTES = CID_BYTES + 8 + 6 + 1 + 8
const MAX_STORED_BYTES = HEAD_BYTES + MAX_COUNTED * ROW_BYTES

/** Of the largest counts, at most `limit`. */
export function encodeCounts(
  counter: DemandCounter,
  salt: Uint8Array,
  nowMs: number,
  limit = MAX_COUNTED
): Uint8Array {
  const counts = counter.top(limit, nowMs)
  const bytes = Buffer.alloc(HEAD_BYTES + counts.length * ROW_BYTES)
  bytes.set(MAGIC)
  bytes.set(salt, MAGIC.byteLength)
  bytes.writeBigUInt64BE(BigInt(nowMs), MAGIC.byteLength + SALT_BYTES)
  for (const [row, { content, count, first, isWide, lastMs }] of counts.entries()) {
    const at = HEAD_BYTES + row * ROW_BYTES
    bytes.set(CID.parse(content).bytes, at)
    bytes.writeDoubleBE(count, at + CID_BYTES)
    bytes.writeUIntBE(first, at + CID_BYTES + 8, 6)
    bytes.writeUInt8(isWide ? 1 : 0, at + CID_BYTES + 14)
    bytes.writeBigUInt64BE(BigInt(lastMs), at + CID_BYTES + 15)
  }
  return bytes
}

/** A counter that goes on from what was stored: what it counted has decayed meanwhile. Throws DEMAND_INVALID. */
export function decodeCounts(
  bytes: Uint8Array,
  { halfLifeMs }: { halfLifeMs: number }
): {
  counter: DemandCounter
  salt: Uint8Array
} {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rowsBytes = bytes.byteLength - HEAD_BYTES
  const isWhole = rowsBytes >= 0 && rowsBytes % ROW_BYTES === 0 && bytes.byteLength <= MAX_STORED_BYTES
  if (!isWhole || !view.subarray(0, MAGIC.byteLength).equals(MAGIC)) throw invalid()
  const salt = Uint8Array.from(view.subarray(MAGIC.byteLength, MAGIC.byteLength + SALT_BYTES))
  const timeMs = timeAt(view, MAGIC.byteLength + SALT_BYTES)
  const counter = new DemandCounter({ halfLifeMs, salt })
  counter.restore(rowsOf(view), timeMs)
  return { counter, salt }
}

function* rowsOf(view: Buffer): Generator<Count> {
  for (let at = HEAD_BYTES; at < view.byteLength; at += ROW_BYTES) {
    const count = view.readDoubleBE(at + CID_BYTES)
    if (!(count > 0 && count < Number.MAX_SAFE_INTEGER)) throw invalid()
    yield {
      content: contentOf(view.subarray(at, at + CID_BYTES)),
      count,
      first: view.readUIntBE(at + CID_BYTES + 8, 6),
      isWide: view.readUInt8(at + CID_BYTES + 14) === 1,
      lastMs: timeAt(view, at + CID_BYTES + 15)
    }
  }
}

function timeAt(view: Buffer, at: number): number {
  const timeMs = Number(view.readBigUInt64BE(at))
  if (timeMs > RECORD_LIMITS.latestMs) throw invalid()
  return timeMs
}

function contentOf(bytes: Uint8Array): string {
  try {
    return CID.decode(bytes).toString()
  } catch (cause) {
    throw invalid(cause)
  }
}

const invalid = (cause?: unknown): CatalogError =>
  new CatalogError('DEMAND_INVALID', 'the stored demand counts cannot be read', {
    hint: 'they are counted anew',
    ...(cause === undefined ? {} : { cause })
  })
