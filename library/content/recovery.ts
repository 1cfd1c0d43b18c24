/**
 * What happens to the segments when the store opens. Blocks after the committed tail may be there whole (the
 * crash came between their fdatasync and the batch, or the batch was lost in a power cut) or in part. Every
 * record from the tail on is hashed and whole ones are indexed. Where none stands the search goes on at the
 * next magic, so that a damaged record costs that block only; what follows the last whole record of the last
 * segment is cut off.
 *
 * Without a tail (`db/` was lost) the same makes the index anew from all segments, and then cuts nothing off.
 *
 * Committed bytes that are gone, a segment or its end, cannot come from a crash, only from damage or a hand.
 * The index gives up the blocks that stood there, the contents that need them are looked for
 * (worker/damage.ts), and the store goes on.
 */
import { MIB } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { WriteOperation } from '../database/types.ts'
import { hashBlock, MAX_BLOCK_BYTES, rawBytesOf, sameId } from './blocks.ts'
import type { Disk } from './disk.ts'
import { listSegments, segmentPath } from './local-segments.ts'
import {
  type BlockLocation,
  checksumOf,
  decodeLocation,
  decodeTail,
  EMPTY_TAIL,
  encodeLocation,
  encodeTail,
  RECORD_HEAD_BYTES,
  RECORD_MAGIC_BYTES,
  type RecordHead,
  readRecordHead,
  type Tail
} from './record.ts'
import type { SegmentReads } from './segment-backend.ts'
import { DAMAGE_KEY, type SegmentModules, TAIL_KEY } from './segment-modules.ts'
import type { BlockId } from './types.ts'

/** Index entries put in one batch while recovering. */
const BATCH_OPERATIONS = 4096
/** Bytes of a segment read at once; holds several of the largest records. */
const WINDOW_BYTES = 2 * MIB
const MAX_RECORD_BYTES = RECORD_HEAD_BYTES + MAX_BLOCK_BYTES

interface FoundBlock extends BlockLocation {
  id: BlockId
}

/** Brings index, tail and segments together; returns the new tail. */
export async function recoverSegments(modules: SegmentModules): Promise<Tail> {
  const { backend, index, log } = modules
  const value = index.get(TAIL_KEY)
  const segments = await backend.list()
  if (value === undefined) {
    await index.clear(makeKey(KeyFamily.Block))
    // From the first open on a tail that is not there is one that was lost.
    if (segments.length === 0)
      await index.batch([{ type: 'put', key: TAIL_KEY, value: encodeTail(EMPTY_TAIL) }], { sync: true })
  }
  const tail = await giveUpLost(modules, decodeTail(value))
  let now = tail
  for (const segment of segments.filter(number => number >= tail.segment)) {
    const start = segment === tail.segment ? tail.offsetBytes : 0
    if (segment === tail.segment && (await backend.sizeOf(segment)) === start) continue
    // The crash may have come before the sync, and what is indexed counts as stored. (A segment's name is
    // synced before its first byte is written.)
    await backend.sync(segment)
    const isCut = segment === segments.at(-1) && value !== undefined
    now = await recoverOne(modules, { segment, start, isCut, tail: now })
  }
  if (now !== tail)
    log.info(
      { blocks: now.blocks - tail.blocks, segment: now.segment, offsetBytes: now.offsetBytes },
      'segments recovered'
    )
  return now
}

/** Whether the segments end where the tail says: then there is nothing to recover. */
export async function isRecovered(disk: Disk, folder: string, tail: Tail): Promise<boolean> {
  if ((await listSegments(disk, folder)).some(segment => segment > tail.segment)) return false
  const now = (await disk.sizeOf(segmentPath(folder, tail.segment))) ?? 0
  return now === tail.offsetBytes
}

/**
 * When the segment of the tail is gone or shorter than the tail says: takes the blocks that stood there out of
 * the index. The store goes on at the end of what is left, or in a new segment.
 */
async function giveUpLost(modules: SegmentModules, tail: Tail): Promise<Tail> {
  const { backend, index, log } = modules
  const { segment } = tail
  const sizeBytes = await backend.sizeOf(segment)
  const leftBytes = sizeBytes ?? 0
  if (leftBytes >= tail.offsetBytes) return tail
  log.error({ segment, leftBytes, committedBytes: tail.offsetBytes }, 'a segment has lost committed bytes')
  const operations: WriteOperation[] = []
  let blocks = tail.blocks
  for await (const [key, value] of index.iterate({ prefix: makeKey(KeyFamily.Block) })) {
    const location = decodeLocation(value)
    const endBytes = location.offsetBytes + RECORD_HEAD_BYTES + location.lengthBytes
    if (location.segment !== segment || endBytes <= leftBytes) continue
    operations.push({ type: 'del', key })
    blocks--
  }
  const totalBytes = tail.totalBytes - (tail.offsetBytes - leftBytes)
  const now =
    sizeBytes === undefined
      ? { segment: segment + 1, offsetBytes: 0, blocks, totalBytes }
      : { segment, offsetBytes: leftBytes, blocks, totalBytes }
  operations.push(
    { type: 'put', key: TAIL_KEY, value: encodeTail(now) },
    { type: 'put', key: DAMAGE_KEY, value: new Uint8Array() }
  )
  await index.batch(operations, { sync: true })
  return now
}

interface OneSegment {
  segment: number
  start: number
  /** Whether what follows the last whole record is cut off: the torn end of the last write. */
  isCut: boolean
  tail: Tail
}

async function recoverOne(modules: SegmentModules, one: OneSegment): Promise<Tail> {
  const { segment, start, isCut } = one
  const { backend, index, log } = modules
  let tail = one.tail
  let operations: WriteOperation[] = []
  const commit = async (offsetBytes: number): Promise<void> => {
    const totalBytes = tail.totalBytes + offsetBytes - (tail.segment === segment ? tail.offsetBytes : 0)
    tail = { ...tail, segment, offsetBytes, totalBytes }
    operations.push({ type: 'put', key: TAIL_KEY, value: encodeTail(tail) })
    await index.batch(operations, { sync: false })
    operations = []
  }
  let end = start
  let passedBytes = 0
  for await (const { id, bytes, ...location } of scanSegment(backend, segment, start)) {
    passedBytes += location.offsetBytes - end
    end = location.offsetBytes + RECORD_HEAD_BYTES + location.lengthBytes
    const key = makeKey(KeyFamily.Block, id)
    if (index.get(key) === undefined) tail = { ...tail, blocks: tail.blocks + 1 }
    operations.push({
      type: 'put',
      key,
      value: encodeLocation({ ...location, checksum: checksumOf({ ...location, bytes }) })
    })
    if (operations.length >= BATCH_OPERATIONS) await commit(end)
  }
  const restBytes = ((await backend.sizeOf(segment)) ?? 0) - end
  if (isCut && restBytes > 0) {
    log.warn({ segment, cutBytes: restBytes }, 'the torn end of a segment was cut off')
    await backend.cut(segment, end)
  }
  const damagedBytes = passedBytes + (isCut ? 0 : restBytes)
  if (damagedBytes > 0) {
    log.error({ segment, damagedBytes }, 'damaged bytes in a segment were passed over')
    operations.push({ type: 'put', key: DAMAGE_KEY, value: new Uint8Array() })
  }
  await commit(isCut ? end : end + restBytes)
  return tail
}

/** Yields the whole records of a segment from `start` on, in order. `bytes` are valid until the next is asked for. */
export async function* scanSegment(
  reads: Pick<SegmentReads, 'readInto'>,
  segment: number,
  start: number
): AsyncGenerator<FoundBlock & { bytes: Uint8Array }> {
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  let windowStart = start
  let filled = await reads.readInto(segment, [window], windowStart)
  let offset = start
  while (filled > 0) {
    const at = offset - windowStart
    const isLast = filled < WINDOW_BYTES
    if (at + MAX_RECORD_BYTES > filled && !isLast) {
      windowStart = offset
      filled = await reads.readInto(segment, [window], windowStart)
      continue
    }
    const bytes = window.subarray(0, filled)
    const head = readRecordHead(bytes, at)
    const rest = bytes.subarray(at + RECORD_HEAD_BYTES)
    if (head !== undefined && isWhole(head, rest)) {
      const { id, codec, lengthBytes, rawLengthBytes } = head
      const place = { segment, offsetBytes: offset, lengthBytes, codec, rawLengthBytes }
      yield { id: Uint8Array.from(id), ...place, bytes: rest.subarray(0, lengthBytes) }
      offset += RECORD_HEAD_BYTES + lengthBytes
      continue
    }
    const next = bytes.indexOf(RECORD_MAGIC_BYTES, at + 1)
    if (next < 0 && isLast) return
    // The first bytes of a magic may be the last of the window.
    offset = windowStart + (next < 0 ? Math.max(at + 1, filled - RECORD_MAGIC_BYTES.byteLength + 1) : next)
  }
}

function isWhole(head: RecordHead, rest: Uint8Array): boolean {
  if (head.lengthBytes > rest.byteLength) return false
  const bytes = rest.subarray(0, head.lengthBytes)
  const raw = rawBytesOf({ codec: head.codec, rawLengthBytes: head.rawLengthBytes, bytes })
  return raw !== undefined && sameId(hashBlock(raw), head.id)
}
