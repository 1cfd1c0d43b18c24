/**
 * A content as a tar stream of verified bytes.
 *
 * The stream is made in buffers of 1 MiB. A buffer is planned first: heads of entries are written into it and
 * room is left for each chunk, wherever that lies in the segments. Then it is filled: blocks that stand one
 * after another on disk, as those of one publish do, come in one scattered read straight to their places (the
 * record heads between them go to a scrap buffer), so that a thousand small files cost a few reads and
 * nothing is copied. Then each chunk is hashed where it lies. While one buffer is with the consumer the next
 * is read. There are three, used in turn: what was yielded is valid until the next is asked for.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, MIB, Semaphore } from '../../base/index.ts'
import { hashBlock, idHex, sameId } from './blocks.ts'
import { manifestEntries } from './manifest-reader.ts'
import type { BlockReader } from './reader.ts'
import { type BlockLocation, RECORD_HEAD_BYTES } from './record.ts'
import { paddingBytes, TAR_END, tarHead } from './tar-header.ts'
import { fileChunks } from './tree-reader.ts'
import { BlockCodec, type ChunkRef, type ManifestEntry } from './types.ts'

const OUTPUT_BYTES = MIB
/** One with the consumer, one being read, one being planned. */
const OUTPUT_BUFFERS = 3
/** Places of one scattered read: the system's limit is 1,024, and each block but the first takes two. */
const MAX_RUN_BLOCKS = 500
/** Reads under way at once, so that an export of scattered blocks leaves the thread pool room for others. */
const MAX_READS = 4

/** A block and where in the output it goes. */
interface Slot {
  chunk: ChunkRef
  location: BlockLocation
  at: number
}

/** One buffer of the stream, planned. */
interface Plan {
  buffer: Buffer
  usedBytes: number
  slots: Slot[]
}

/** The tar of a complete content: files and folders in manifest order, then symbolic links. */
export async function* exportTar(
  reader: BlockReader,
  content: CID,
  signal?: AbortSignal
): AsyncGenerator<Uint8Array> {
  let reading: Promise<Uint8Array> | undefined
  for await (const plan of planTar(reader, content, signal)) {
    const filled = fill(reader, plan)
    // Its failure is seen when it is awaited, one buffer later.
    filled.catch(() => {})
    if (reading !== undefined) yield await reading
    signal?.throwIfAborted()
    reading = filled
  }
  if (reading !== undefined) yield await reading
}

async function* planTar(reader: BlockReader, content: CID, signal?: AbortSignal): AsyncGenerator<Plan> {
  const planner = new Planner(reader)
  let symlinks = 0
  for await (const entry of manifestEntries(reader, content, signal)) {
    if (entry.kind === 'symlink') symlinks++
    else yield* planEntry(planner, reader, entry, signal)
  }
  if (symlinks > 0)
    for await (const entry of manifestEntries(reader, content, signal))
      if (entry.kind === 'symlink') yield* planner.bytes(tarHead(entry))
  yield* planner.bytes(TAR_END)
  yield planner.take()
}

async function* planEntry(
  planner: Planner,
  reader: BlockReader,
  entry: ManifestEntry,
  signal?: AbortSignal
): AsyncGenerator<Plan> {
  yield* planner.bytes(tarHead(entry))
  if (entry.kind !== 'file') return
  for await (const chunk of fileChunks(reader, entry.root, entry.sizeBytes, signal)) {
    const full = planner.chunk(chunk)
    if (full !== undefined) yield full
  }
  yield* planner.bytes(TAR_END.subarray(0, paddingBytes(entry.sizeBytes)))
}

class Planner {
  readonly #reader: BlockReader
  readonly #buffers = Array.from({ length: OUTPUT_BUFFERS }, () => Buffer.allocUnsafeSlow(OUTPUT_BYTES))
  #turn = 0
  #plan: Plan

  constructor(reader: BlockReader) {
    this.#reader = reader
    this.#plan = { buffer: this.#buffers[0]!, usedBytes: 0, slots: [] }
  }

  /** Puts bytes that are known; yields the buffers they fill. */
  *bytes(bytes: Uint8Array): Generator<Plan> {
    let rest = bytes
    while (rest.byteLength > 0) {
      if (this.#plan.usedBytes === OUTPUT_BYTES) yield this.take()
      const part = rest.subarray(0, OUTPUT_BYTES - this.#plan.usedBytes)
      this.#plan.buffer.set(part, this.#plan.usedBytes)
      this.#plan.usedBytes += part.byteLength
      rest = rest.subarray(part.byteLength)
    }
  }

  /** Leaves room for a chunk; returns the buffer before when it does not fit into that. */
  chunk(chunk: ChunkRef): Plan | undefined {
    const location = this.#reader.locate(chunk.id)
    if (location === undefined)
      throw new CatalogError('CONTENT_MISSING', `block ${idHex(chunk.id)} is not here`, {
        details: { id: idHex(chunk.id) }
      })
    if (location.rawLengthBytes !== chunk.lengthBytes)
      throw new CatalogError('CONTENT_INVALID', `block ${idHex(chunk.id)} is not as long as its tree says`)
    const full = this.#plan.usedBytes + chunk.lengthBytes > OUTPUT_BYTES ? this.take() : undefined
    this.#plan.slots.push({ chunk, location, at: this.#plan.usedBytes })
    this.#plan.usedBytes += chunk.lengthBytes
    return full
  }

  /** Hands out the plan so far and begins the next buffer. */
  take(): Plan {
    const plan = this.#plan
    this.#turn = (this.#turn + 1) % OUTPUT_BUFFERS
    this.#plan = { buffer: this.#buffers[this.#turn]!, usedBytes: 0, slots: [] }
    return plan
  }
}

/** Reads every slot of a plan and verifies it; returns the finished bytes. */
async function fill(reader: BlockReader, plan: Plan): Promise<Uint8Array> {
  const reads = new Semaphore({ name: 'export reads', maxActive: MAX_READS, maxWaiting: OUTPUT_BYTES })
  await Promise.all(runsOf(plan.slots).map(run => reads.run(() => fillRun(reader, plan.buffer, run))))
  return plan.buffer.subarray(0, plan.usedBytes)
}

/** Splits slots where the next block does not follow on disk. */
function runsOf(slots: Slot[]): Slot[][] {
  const runs: Slot[][] = []
  let run: Slot[] = []
  for (const slot of slots) {
    const before = run.at(-1)
    if (before !== undefined && follows(before.location, slot.location) && run.length < MAX_RUN_BLOCKS) {
      run.push(slot)
      continue
    }
    run = [slot]
    runs.push(run)
  }
  return runs
}

function follows(before: BlockLocation, after: BlockLocation): boolean {
  return (
    before.segment === after.segment &&
    before.offsetBytes + RECORD_HEAD_BYTES + before.lengthBytes === after.offsetBytes &&
    before.codec === BlockCodec.Raw &&
    after.codec === BlockCodec.Raw
  )
}

const scrap = Buffer.allocUnsafeSlow(RECORD_HEAD_BYTES)

async function fillRun(reader: BlockReader, buffer: Buffer, run: Slot[]): Promise<void> {
  const first = run[0]!
  if (first.location.codec !== BlockCodec.Raw) return await fillSingly(reader, buffer, run)
  const targets: Uint8Array[] = []
  for (const slot of run) {
    if (slot !== first) targets.push(scrap)
    targets.push(buffer.subarray(slot.at, slot.at + slot.chunk.lengthBytes))
  }
  const { segment, offsetBytes } = first.location
  const whole = await reader.readRun(segment, targets, offsetBytes + RECORD_HEAD_BYTES)
  const wrong = whole ? run.filter(slot => !isRight(buffer, slot)) : run
  for (const slot of run) if (!wrong.includes(slot)) reader.countRead(slot.chunk.lengthBytes)
  // The single read says what is wrong, reports it, and finds a block that has moved meanwhile.
  if (wrong.length > 0) await fillSingly(reader, buffer, wrong)
}

function isRight(buffer: Buffer, slot: Slot): boolean {
  return sameId(hashBlock(buffer.subarray(slot.at, slot.at + slot.chunk.lengthBytes)), slot.chunk.id)
}

async function fillSingly(reader: BlockReader, buffer: Buffer, slots: Slot[]): Promise<void> {
  for (const { chunk, at } of slots) buffer.set(await reader.read(chunk.id), at)
}
