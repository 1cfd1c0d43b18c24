/**
 * A content as a tar stream of verified bytes.
 *
 * The stream is made in buffers of 1 MiB. A buffer is planned first: heads of entries are written into it and
 * room is left for each chunk, wherever that lies in the segments. Then it is filled (scattered-read.ts), and
 * each chunk is hashed where it lies; one at rest as zstd comes into the beginning of its room and is decoded from
 * there. While one buffer is with the consumer the next is read. There are three,
 * used in turn: what was yielded is valid until the next is asked for.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, MIB } from '../../base/index.ts'
import { hashBlock, idHex, rawBytesOf, sameId } from './blocks.ts'
import { manifestEntries } from './manifest-reader.ts'
import type { BlockReader, BlockSource } from './reader.ts'
import type { BlockLocation } from './record.ts'
import { type ReadSlot, readScattered } from './scattered-read.ts'
import { paddingBytes, TAR_END, tarHead } from './tar-header.ts'
import { fileChunks } from './tree-reader.ts'
import { Turns } from './turns.ts'
import type { BlockId, ChunkRef, ManifestEntry } from './types.ts'

const OUTPUT_BYTES = MIB
/** One with the consumer, one being read, one being planned. */
const OUTPUT_BUFFERS = 3

/** The blocks of a content, as the export reads them. */
export interface TarBlocks extends BlockSource, Pick<BlockReader, 'locate' | 'readRun' | 'countRead'> {
  /** Waits for one that is not here; undefined when it will not come. Without it what is not here is missing. */
  arrival?(id: BlockId): Promise<BlockLocation | undefined>
}

/** A block and where in the output it goes; `target` is the part of `room` that its bytes at rest take. */
interface Slot extends ReadSlot {
  readonly chunk: ChunkRef
  readonly room: Uint8Array
}

/** One buffer of the stream, planned. */
interface Plan {
  buffer: Buffer
  usedBytes: number
  slots: Slot[]
}

/** The tar of a content, complete or arriving: files and folders in manifest order, then symbolic links. */
export async function* exportTar(
  reader: TarBlocks,
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

async function* planTar(reader: TarBlocks, content: CID, signal?: AbortSignal): AsyncGenerator<Plan> {
  const planner = new Planner()
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
  reader: TarBlocks,
  entry: ManifestEntry,
  signal?: AbortSignal
): AsyncGenerator<Plan> {
  yield* planner.bytes(tarHead(entry))
  if (entry.kind !== 'file') return
  for await (const chunk of fileChunks(reader, entry.root, entry.sizeBytes, signal)) {
    const location = reader.locate(chunk.id) ?? (await reader.arrival?.(chunk.id))
    const full = planner.chunk(chunk, location)
    if (full !== undefined) yield full
  }
  yield* planner.bytes(TAR_END.subarray(0, paddingBytes(entry.sizeBytes)))
}

class Planner {
  readonly #buffers = Array.from({ length: OUTPUT_BUFFERS }, () => Buffer.allocUnsafeSlow(OUTPUT_BYTES))
  #turn = 0
  #plan: Plan

  constructor() {
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
  chunk(chunk: ChunkRef, location: BlockLocation | undefined): Plan | undefined {
    if (location === undefined)
      throw new CatalogError('CONTENT_MISSING', `block ${idHex(chunk.id)} is not here`, {
        details: { id: idHex(chunk.id) }
      })
    if (location.rawLengthBytes !== chunk.lengthBytes)
      throw new CatalogError('CONTENT_INVALID', `block ${idHex(chunk.id)} is not as long as its tree says`)
    const full = this.#plan.usedBytes + chunk.lengthBytes > OUTPUT_BYTES ? this.take() : undefined
    const { buffer, slots, usedBytes } = this.#plan
    const end = usedBytes + chunk.lengthBytes
    const room = buffer.subarray(usedBytes, end)
    slots.push({ chunk, location, room, target: room.subarray(0, location.lengthBytes) })
    this.#plan.usedBytes = end
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
async function fill(reader: TarBlocks, { buffer, usedBytes, slots }: Plan): Promise<Uint8Array> {
  const lost = await readScattered(reader, slots)
  const turns = new Turns()
  for (const slot of slots) {
    if (turns.isOver) await turns.pass()
    const { chunk, location, room, target } = slot
    const { codec, rawLengthBytes } = location
    const raw = lost.has(slot) ? undefined : rawBytesOf({ codec, rawLengthBytes, bytes: target })
    if (raw !== undefined && sameId(hashBlock(raw), chunk.id)) {
      if (raw !== target) room.set(raw)
      reader.countRead(chunk.lengthBytes)
    }
    // The single read says what is wrong, reports it, and finds a block that has moved meanwhile.
    else room.set(await reader.read(chunk.id))
  }
  return buffer.subarray(0, usedBytes)
}
