import { assertInvariant, CatalogError } from '../../base/index.ts'
import type { Database } from '../../library/index.ts'
import { FAMILIES } from '../providers/families.ts'
import { SLOTS, type SlotProgress } from './schedule.ts'

/**
 * The progress of the sweep on disk, one row for each slot: version (1), doneAt (6), and while a pass is under way
 * its start (6) and cursor (32). It is written without waiting for the disk: a region announced twice after a crash does no harm.
 */
const ROW_VERSION = 1
const DONE_BYTES = 7
const PASS_BYTES = 45

export class SweepProgress {
  readonly #database: Database
  /**
   * Progress of slots that have no row yet. A node without keys has nothing to be late with: writing this down would only wake
   * its writer, at its first start and for every slot.
   */
  readonly #unkept = new Map<number, SlotProgress>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Gives slots that have no progress yet the present time as theirs: the cycle begins. */
  begin(now: number): void {
    for (let slot = 0; slot < SLOTS; slot++)
      if (this.#database.get(rowKeyOf(slot)) === undefined)
        this.#unkept.set(slot, { doneAt: now, pass: undefined })
  }

  /** From now on there are keys: where every slot stands must survive a restart. */
  async keep(): Promise<void> {
    if (this.#unkept.size === 0) return
    const rows = [...this.#unkept]
    const operations = rows.map(([slot, progress]) => ({
      type: 'put' as const,
      key: rowKeyOf(slot),
      value: encode(progress)
    }))
    await this.#database.write(operations, { sync: false })
    for (const [slot] of rows) this.#unkept.delete(slot)
  }

  /** Progress of a slot, after `begin`. */
  of(slot: number): SlotProgress {
    const unkept = this.#unkept.get(slot)
    if (unkept !== undefined) return unkept
    const row = this.#database.get(rowKeyOf(slot))
    assertInvariant(row !== undefined, `slot ${slot} has progress`)
    return decode(row)
  }

  async set(slot: number, progress: SlotProgress): Promise<void> {
    if (this.#unkept.has(slot)) this.#unkept.set(slot, progress)
    else
      await this.#database.write([{ type: 'put', key: rowKeyOf(slot), value: encode(progress) }], {
        sync: false
      })
  }
}

const rowKeyOf = (slot: number): Uint8Array => Buffer.concat([FAMILIES.schedule, Uint8Array.of(slot)])

function encode({ doneAt, pass }: SlotProgress): Uint8Array {
  const bytes = Buffer.alloc(pass === undefined ? DONE_BYTES : PASS_BYTES)
  bytes[0] = ROW_VERSION
  bytes.writeUIntBE(doneAt, 1, 6)
  if (pass === undefined) return bytes
  bytes.writeUIntBE(pass.startedAt, DONE_BYTES, 6)
  bytes.set(pass.cursor, DONE_BYTES + 6)
  return bytes
}

function decode(row: Uint8Array): SlotProgress {
  const bytes = Buffer.from(row.buffer, row.byteOffset, row.length)
  if (bytes[0] !== ROW_VERSION || (bytes.length !== DONE_BYTES && bytes.length !== PASS_BYTES))
    throw new CatalogError('INTERNAL', 'a row of the announcement schedule has an unknown form')
  const doneAt = bytes.readUIntBE(1, 6)
  if (bytes.length === DONE_BYTES) return { doneAt, pass: undefined }
  return {
    doneAt,
    pass: { startedAt: bytes.readUIntBE(DONE_BYTES, 6), cursor: bytes.subarray(DONE_BYTES + 6) }
  }
}
