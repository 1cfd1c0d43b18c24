import { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import type { Registry, ReleaseRecord } from '../../library/index.ts'
import type { Control } from '../control/index.ts'
import { getRecords, listReleases, MAX_ANSWER_RECORD_BYTES } from './types.ts'

export interface RecordServerModules {
  readonly control: Pick<Control, 'handle'>
  readonly registry: Pick<Registry, 'get' | 'versions'>
}

/** Answers peers that ask for records of this node from now on. */
export function serveRecords({ control, registry }: RecordServerModules): void {
  control.handle(getRecords, ({ ids }) => {
    const answer = new Answer()
    for (const [index, id] of ids.entries()) {
      const record = registry.get(decodeId(id))
      if (record !== undefined && !answer.add(record)) return { records: answer.records, resumeAt: index }
    }
    return { records: answer.records }
  })
  control.handle(listReleases, async ({ name, after, limit }, { signal }) => {
    const all = await registry.versions(name, signal)
    const answer = new Answer()
    let last: ReleaseRecord | undefined
    for (const record of all.slice(startAfter(all, after))) {
      if (answer.records.length >= limit || !answer.add(record))
        return { records: answer.records, next: last?.id.bytes ?? new Uint8Array(0) }
      last = record
    }
    return { records: answer.records }
  })
}

/** Collects records up to the size of one answer. */
class Answer {
  readonly records: Uint8Array[] = []
  #sizeBytes = 0

  /** False when the record has no place any more. */
  add({ bytes }: ReleaseRecord): boolean {
    // Tag and length before each record are at most four bytes.
    const sizeBytes = bytes.byteLength + 4
    if (this.#sizeBytes + sizeBytes > MAX_ANSWER_RECORD_BYTES) return false
    this.records.push(bytes)
    this.#sizeBytes += sizeBytes
    return true
  }
}

function startAfter(all: ReleaseRecord[], after: Uint8Array): number {
  if (after.byteLength === 0) return 0
  const index = all.findIndex(({ id }) => Buffer.compare(id.bytes, after) === 0)
  if (index < 0)
    throw new CatalogError('NOT_FOUND', 'the list has changed: the record to go on after is gone')
  return index + 1
}

function decodeId(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', 'an id is not a CID', { cause })
  }
}
