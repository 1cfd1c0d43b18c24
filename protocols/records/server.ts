import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Clock, Semaphore, showQueue } from '../../base/index.ts'
import type { Registry, StoredRecord } from '../../library/index.ts'
import type { Control } from '../control/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { timeOfNotHere } from '../wire/not-here.ts'
import {
  getRecords,
  listReleases,
  MAX_ANSWER_RECORD_BYTES,
  MAX_LISTINGS,
  MAX_LISTINGS_WAITING,
  MAX_RECORDS_PER_ANSWER,
  MAX_STATEMENTS_PER_ANSWER,
  RECORD_RATE
} from './types.ts'

export interface RecordServerModules {
  readonly control: Pick<Control, 'handle'>
  readonly registry: Pick<Registry, 'stored' | 'storedPage'>
  readonly clock: Clock
  readonly metrics?: MetricsRegistry | undefined
}

/** Answers peers that ask for records of this node from now on. Each has its rate; a page costs as much as 64 records. */
export function serveRecords({ control, registry, clock, metrics }: RecordServerModules): void {
  const rates = new PeerRates(RECORD_RATE, clock)
  const listings = new Semaphore({
    name: listReleases.name,
    maxActive: MAX_LISTINGS,
    maxWaiting: MAX_LISTINGS_WAITING
  })
  showQueue(metrics, listings)
  control.handle(getRecords, async ({ ids }, { peerId, signal }) => {
    rates.take(peerId.toString(), ids.length)
    const answer = new Answer()
    for (const [index, id] of ids.entries()) {
      const stored = await registry.stored(decodeId(id), signal)
      if (stored !== undefined && !answer.add(stored)) return { ...answer.message, resumeAt: index }
    }
    return answer.message
  })
  control.handle(listReleases, async ({ name, limit, version, range, owner, after }, { peerId, signal }) => {
    rates.take(peerId.toString(), MAX_RECORDS_PER_ANSWER)
    const query = {
      name,
      limit,
      ...(version === '' ? {} : { version }),
      ...(range === '' ? {} : { range }),
      ...(owner.byteLength === 0 ? {} : { owner }),
      ...(after.byteLength === 0 ? {} : { after })
    }
    const askedMs = clock.monotonicMs()
    const page = await listings.run(() => registry.storedPage(query, signal), signal)
    // Names that are known from closed libraries only cost more to go through than those that are not known.
    if (page.records.length === 0) await timeOfNotHere({ clock, askedMs }, signal)
    const answer = new Answer()
    let last: Uint8Array | undefined
    for (const stored of page.records) {
      if (!answer.add(stored)) return { ...answer.message, next: last ?? new Uint8Array(0) }
      last = stored.cursor
    }
    return { ...answer.message, next: page.hasMore && last !== undefined ? last : new Uint8Array(0) }
  })
}

/** Tag and length before each record. */
const FRAMING_BYTES = 4

/** Collects records, each with what is said of it, up to the size of one answer. */
class Answer {
  readonly message: { records: Uint8Array[]; statements: Uint8Array[] } = { records: [], statements: [] }
  #sizeBytes = 0

  /** False when the record has no place any more. */
  add({ bytes, statements }: StoredRecord): boolean {
    const sizeBytes = [bytes, ...statements].reduce((sum, part) => sum + part.byteLength + FRAMING_BYTES, 0)
    if (this.#sizeBytes + sizeBytes > MAX_ANSWER_RECORD_BYTES) return false
    if (this.message.statements.length + statements.length > MAX_STATEMENTS_PER_ANSWER) return false
    this.message.records.push(bytes)
    this.message.statements.push(...statements)
    this.#sizeBytes += sizeBytes
    return true
  }
}

function decodeId(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', 'an id is not a CID', { cause })
  }
}
