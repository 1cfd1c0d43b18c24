/**
 * What is known of each segment that was ever begun to be sent to the bucket: rows `b/` of the database. They are why the
 * store opens, collects and counts without asking the bucket, and what makes sending and deleting survive a crash.
 */
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { WriteOperation } from '../database/types.ts'
import type { BlockIndex } from './segment-modules.ts'

export const BucketState = {
  /** Sending has begun: the bucket may have it or not. */
  Sending: 0,
  /** The bucket said that it has it. */
  Sent: 1,
  /** It is to be deleted from the bucket. */
  Doomed: 2
} as const
type BucketState = (typeof BucketState)[keyof typeof BucketState]

interface BucketRow {
  state: BucketState
  sizeBytes: number
}

/** Value: state u8, size u32 little-endian. */
const ROW_BYTES = 5
const KEY_BYTES = 4

const rowKey = (segment: number): Uint8Array => {
  const number = Buffer.allocUnsafe(KEY_BYTES)
  number.writeUInt32BE(segment)
  return makeKey(KeyFamily.BucketSegment, number)
}

/** All rows in memory, 1,600 for 100 GB, and every change of them synced to the database first. */
export class BucketRows {
  readonly #index: Pick<BlockIndex, 'iterate' | 'batch'>
  readonly #rows = new Map<number, BucketRow>()

  constructor(index: Pick<BlockIndex, 'iterate' | 'batch'>) {
    this.#index = index
  }

  async load(): Promise<void> {
    this.#rows.clear()
    for await (const [segment, row] of bucketRows(this.#index)) this.#rows.set(segment, row)
  }

  /** Numbers of those in a state, rising. */
  in(state: BucketState): number[] {
    return [...this.#rows].flatMap(([segment, row]) => (row.state === state ? [segment] : [])).sort(byNumber)
  }

  state(segment: number): BucketState | undefined {
    return this.#rows.get(segment)?.state
  }

  /** Size of a segment that the bucket has. */
  sentBytes(segment: number): number | undefined {
    const row = this.#rows.get(segment)
    return row?.state === BucketState.Sent ? row.sizeBytes : undefined
  }

  async set(
    segment: number,
    state: BucketState,
    sizeBytes = this.#rows.get(segment)?.sizeBytes ?? 0
  ): Promise<void> {
    const value = Buffer.allocUnsafe(ROW_BYTES)
    value.writeUInt8(state, 0)
    value.writeUInt32LE(sizeBytes, 1)
    await this.#write({ type: 'put', key: rowKey(segment), value })
    this.#rows.set(segment, { state, sizeBytes })
  }

  async delete(segment: number): Promise<void> {
    await this.#write({ type: 'del', key: rowKey(segment) })
    this.#rows.delete(segment)
  }

  async #write(operation: WriteOperation): Promise<void> {
    await this.#index.batch([operation], { sync: true })
  }
}

/** The rows of a database; what is no row is left out. */
export async function* bucketRows(index: Pick<BlockIndex, 'iterate'>): AsyncGenerator<[number, BucketRow]> {
  const prefix = makeKey(KeyFamily.BucketSegment)
  for await (const [key, value] of index.iterate({ prefix })) {
    if (key.byteLength !== prefix.byteLength + KEY_BYTES || value.byteLength !== ROW_BYTES) continue
    const segment = Buffer.from(key.subarray(prefix.byteLength)).readUInt32BE()
    const row = Buffer.from(value)
    yield [segment, { state: row.readUInt8(0) as BucketState, sizeBytes: row.readUInt32LE(1) }]
  }
}

const byNumber = (a: number, b: number): number => a - b
