/**
 * What happens to the segments when the store opens. Blocks after the committed tail may be there whole (the
 * crash came between their fdatasync and the batch, or the batch was lost in a power cut) or in part. Each
 * record from the tail on is hashed: whole ones are indexed, at the first that is not whole the last segment
 * is cut off.
 *
 * In a segment that has a successor nothing is cut: it was complete and synced when its successor was begun,
 * so a bad record there is damage to one block, and the records after it are kept.
 */
import { MIB } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { WriteOperation } from '../database/types.ts'
import { hashBlock, rawBytesOf, sameId } from './blocks.ts'
import type { Disk, DiskFile } from './disk.ts'
import {
  type BlockLocation,
  EMPTY_TAIL,
  encodeLocation,
  encodeTail,
  RECORD_HEAD_BYTES,
  type RecordHead,
  readRecordHead,
  type Tail
} from './record.ts'
import { type SegmentModules, segmentPath, TAIL_KEY } from './segment-modules.ts'
import type { BlockId } from './types.ts'

/** Index entries put in one batch while recovering. */
const BATCH_OPERATIONS = 4096
/** Bytes of a segment read at once; holds several of the largest records. */
const WINDOW_BYTES = 2 * MIB

interface FoundBlock extends BlockLocation {
  id: BlockId
}

/** Brings index, tail and segments together; returns the new tail. */
export async function recoverSegments(modules: SegmentModules, folder: string, tail: Tail): Promise<Tail> {
  const { disk, log } = modules
  const segments = await listSegments(modules, folder)
  let now = tail
  let recovered = 0
  for (const segment of segments.filter(number => number >= tail.segment)) {
    const path = segmentPath(folder, segment)
    const start = segment === tail.segment ? tail.offsetBytes : 0
    if ((await disk.sizeOf(path)) === start && segment === tail.segment) continue
    const file = await disk.open(path)
    try {
      // The crash may have come before the sync, and what is indexed counts as stored. (A segment's name is
      // synced before its first byte is written.)
      await file.datasync()
      const before = now.blocks
      now = await recoverOne(modules, file, { segment, start, last: segment === segments.at(-1), tail: now })
      recovered += now.blocks - before
    } finally {
      await file.close()
    }
  }
  if (now !== tail)
    log.info({ blocks: recovered, segment: now.segment, offsetBytes: now.offsetBytes }, 'segments recovered')
  return now
}

/** Whether the segments end where the tail says: then there is nothing to recover. */
export async function isRecovered(disk: Disk, folder: string, tail: Tail): Promise<boolean> {
  const next = await disk.sizeOf(segmentPath(folder, tail.segment + 1))
  const now = (await disk.sizeOf(segmentPath(folder, tail.segment))) ?? 0
  return next === undefined && now === tail.offsetBytes
}

/**
 * Makes the index anew from the segments alone. A crash half-way is harmless: without a tail the next open
 * goes on.
 */
export async function rebuildIndex(modules: SegmentModules, folder: string): Promise<Tail> {
  const { index } = modules
  await index.batch([{ type: 'del', key: TAIL_KEY }], { sync: true })
  await index.clear(makeKey(KeyFamily.Block))
  return await recoverSegments(modules, folder, EMPTY_TAIL)
}

async function listSegments(modules: SegmentModules, folder: string): Promise<number[]> {
  const names = await modules.disk.list(folder)
  return names
    .filter(name => /^(0|[1-9][0-9]{0,9})$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

interface OneSegment {
  segment: number
  start: number
  last: boolean
  tail: Tail
}

async function recoverOne(modules: SegmentModules, file: DiskFile, one: OneSegment): Promise<Tail> {
  const { segment, start, last } = one
  const { index, log } = modules
  let tail = one.tail
  let operations: WriteOperation[] = []
  const commit = async (offsetBytes: number): Promise<void> => {
    const totalBytes = tail.totalBytes + offsetBytes - (tail.segment === segment ? tail.offsetBytes : 0)
    tail = { ...tail, segment, offsetBytes, totalBytes }
    operations.push({ type: 'put', key: TAIL_KEY, value: encodeTail(tail) })
    await index.batch(operations, { sync: false })
    operations = []
  }
  const scan = scanSegment(file, segment, start, !last)
  for (;;) {
    const step = await scan.next()
    if (step.done === true) {
      const sizeBytes = await file.size()
      if (sizeBytes < start) log.error({ segment, sizeBytes, start }, 'a segment has lost committed bytes')
      if (last && step.value < sizeBytes) {
        log.warn({ segment, cutBytes: sizeBytes - step.value }, 'the torn end of a segment was cut off')
        await file.truncate(step.value)
      }
      await commit(step.value)
      return tail
    }
    const { id, ...location } = step.value
    const key = makeKey(KeyFamily.Block, id)
    if (index.get(key) === undefined) tail = { ...tail, blocks: tail.blocks + 1 }
    operations.push({ type: 'put', key, value: encodeLocation(location) })
    if (operations.length >= BATCH_OPERATIONS)
      await commit(location.offsetBytes + RECORD_HEAD_BYTES + location.lengthBytes)
  }
}

/**
 * Yields the whole records of a segment from `start`; returns the offset where they end. With `skipDamaged` a
 * record whose head is whole and whose bytes are not is passed over.
 */
async function* scanSegment(
  file: DiskFile,
  segment: number,
  start: number,
  skipDamaged: boolean
): AsyncGenerator<FoundBlock, number> {
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  let windowStart = start
  let filled = await file.read(window, windowStart)
  let offset = start
  for (;;) {
    let at = offset - windowStart
    let head = readRecordHead(window.subarray(0, filled), at)
    if (head === undefined || at + RECORD_HEAD_BYTES + head.lengthBytes > filled) {
      if (windowStart === offset) return offset
      windowStart = offset
      filled = await file.read(window, windowStart)
      at = 0
      head = readRecordHead(window.subarray(0, filled), at)
      if (head === undefined || RECORD_HEAD_BYTES + head.lengthBytes > filled) return offset
    }
    const { id, codec, lengthBytes, rawLengthBytes } = head
    const whole = isWhole(head, window.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + lengthBytes))
    if (!whole && !skipDamaged) return offset
    if (whole)
      yield { id: Uint8Array.from(id), segment, offsetBytes: offset, lengthBytes, codec, rawLengthBytes }
    offset += RECORD_HEAD_BYTES + lengthBytes
  }
}

function isWhole(head: RecordHead, bytes: Uint8Array): boolean {
  const raw = rawBytesOf({ codec: head.codec, rawLengthBytes: head.rawLengthBytes, bytes })
  return raw !== undefined && sameId(hashBlock(raw), head.id)
}
