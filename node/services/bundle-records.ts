/**
 * The records of a bundle, on their way in. They are proven as they come and kept batch by batch, as a sync of the disk for each would take longer
 * than all else together. What of it is new, and which contents may follow, is known once a batch is kept.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../base/index.ts'
import {
  ADD_ALL_LIMITS,
  type AddOutcome,
  isReleaseRecord,
  isStatementRecord,
  type ReleaseRecord,
  type StatementRecord
} from '../../library/index.ts'
import { type BundledRecord, type BundlePart, checkBundleRecord, type Head } from '../../sync/index.ts'
import type { Blocking } from './blocking.ts'
import { type Expected, expectedOf } from './bundle-content.ts'

/** Records proven before the event loop gets its turn: a few milliseconds. */
const RECORDS_PER_TURN = 8

export interface BundleRecordsModules {
  blocking: Pick<Blocking, 'isBlocked'>
  /** Where records go, ADD_ALL_LIMITS at once, and what comes of each. */
  registry: {
    addAll(
      records: ReadonlyArray<ReleaseRecord | StatementRecord>,
      signal: AbortSignal
    ): Promise<readonly AddOutcome[]>
  }
  clock: Clock
  /** Told of each batch once it is kept. */
  copying: { take(records: readonly BundledRecord[]): Promise<void> }
}

export class BundleRecords {
  readonly #modules: BundleRecordsModules
  readonly #head: Head
  readonly #signal: AbortSignal
  readonly #count = { records: 0, newRecords: 0, refusedRecords: 0 }
  /** Contents that records of the bundle name, and which have not come yet. */
  readonly #expected = new Map<string, Expected>()
  /** Contents whose records were not taken: their blocks are passed over. */
  readonly #refused = new Set<string>()
  #batch: BundledRecord[] = []
  #batchBytes = 0

  constructor(modules: BundleRecordsModules, head: Head, signal: AbortSignal) {
    this.#modules = modules
    this.#head = head
    this.#signal = signal
  }

  /** Of all that were kept. */
  get count(): { records: number; newRecords: number; refusedRecords: number } {
    return this.#count
  }

  /** Throws what a record that is wrong throws, and as `keep`. */
  async take(part: Extract<BundlePart, { kind: 'record' }>): Promise<void> {
    const bundled = checkBundleRecord(part, this.#head, this.#modules.clock.now())
    this.#batch.push(bundled)
    this.#batchBytes += bundled.record.bytes.byteLength
    const { records, sizeBytes } = ADD_ALL_LIMITS
    if (this.#batch.length >= records || this.#batchBytes >= sizeBytes) await this.keep()
    else if (this.#batch.length % RECORDS_PER_TURN === 0) await nextTurn()
  }

  /** Keeps what has come and waits. Throws what the first throws that cannot be kept; those before it are. */
  async keep(): Promise<void> {
    this.#signal.throwIfAborted()
    const { registry, copying } = this.#modules
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    if (batch.length === 0) return
    this.#count.records += batch.length
    const wanted = batch.flatMap(({ record }) => this.#wanted(record))
    const outcomes = wanted.length === 0 ? [] : await registry.addAll(wanted, this.#signal)
    for (const [at, outcome] of outcomes.entries()) this.#came(wanted[at]!, outcome)
    await copying.take(batch)
  }

  /** What is expected of a content that comes now, which is expected no more; `refused` where it is to be passed over. */
  claim(content: CID): Expected | 'refused' | undefined {
    const key = content.toString()
    const expected = this.#expected.get(key)
    this.#expected.delete(key)
    return expected ?? (this.#refused.has(key) ? 'refused' : undefined)
  }

  /** Nothing where it is blocked here, or says something of the library itself, and so belongs to the copy only. */
  #wanted(record: BundledRecord['record']): Array<ReleaseRecord | StatementRecord> {
    if (isStatementRecord(record)) return [record]
    if (!isReleaseRecord(record)) return []
    if (!this.#modules.blocking.isBlocked(record)) return [record]
    this.#refuse(record)
    return []
  }

  #came(record: ReleaseRecord | StatementRecord, outcome: AddOutcome): void {
    if (outcome === 'added') this.#count.newRecords++
    if (!isReleaseRecord(record)) return
    // One content too many of a version, which an owner makes and no reader keeps.
    if (outcome === 'refused') this.#refuse(record)
    else this.#expected.set(record.release.content.toString(), expectedOf(record))
  }

  #refuse({ release }: ReleaseRecord): void {
    this.#refused.add(release.content.toString())
    this.#count.refusedRecords++
  }
}
