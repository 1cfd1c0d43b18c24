import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { decodeRelease, type ReleaseRecord } from '../../library/index.ts'
import type { Control } from '../control/index.ts'
import { getRecords, listReleases, MAX_RECORDS_PER_ANSWER } from './types.ts'

export interface RecordClientModules {
  readonly control: Pick<Control, 'request'>
  /** A peer sent a record that is not valid or was not asked for. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

/** A page of releases as one peer knows them. */
export interface PeerReleasePage {
  releases: ReleaseRecord[]
  /** Goes into the next call; absent on the last page. The peer's own word: how many pages to follow is the caller's bound. */
  next?: Uint8Array
}

/** Answers in which a peer may say "ask again from there" before it has to have said everything. */
const MAX_ROUNDS = MAX_RECORDS_PER_ANSWER

/** Records from peers, each verified before it is returned: what does not verify is dropped and reported. */
export class RecordClient {
  readonly #modules: RecordClientModules

  constructor(modules: RecordClientModules) {
    this.#modules = modules
  }

  /** Those of the wanted records that the peer has, in no special order. Any number of ids. */
  async get(peerId: PeerId, ids: readonly CID[], signal?: AbortSignal): Promise<ReleaseRecord[]> {
    const found: ReleaseRecord[] = []
    let rounds = 0
    for (let from = 0; from < ids.length; ) {
      const part = ids.slice(from, from + MAX_RECORDS_PER_ANSWER)
      const { records, resumeAt } = await this.#modules.control.request(
        peerId,
        getRecords,
        { ids: part.map(id => id.bytes) },
        { signal }
      )
      const wanted = new Set(part.map(String))
      for (const record of this.#verified(peerId, records, record => wanted.delete(record.id.toString())))
        found.push(record)
      if (resumeAt === 0) {
        from += part.length
        rounds = 0
      } else {
        if (resumeAt >= part.length || ++rounds > MAX_ROUNDS)
          throw this.#refuse(peerId, 'resumeAt is impossible')
        from += resumeAt
      }
    }
    return found
  }

  /** One page of the releases of a name as the peer knows them: verified, of that name, but complete or not, who knows. */
  async list(
    peerId: PeerId,
    name: string,
    options: { after?: Uint8Array; limit: number; signal?: AbortSignal }
  ): Promise<PeerReleasePage> {
    const { after, limit, signal } = options
    const { records, next } = await this.#modules.control.request(
      peerId,
      listReleases,
      {
        name,
        limit: Math.min(limit, MAX_RECORDS_PER_ANSWER),
        ...(after === undefined ? {} : { after })
      },
      { signal }
    )
    const releases = this.#verified(peerId, records, ({ release }) => release.name === name)
    return next.byteLength === 0 ? { releases } : { releases, next: next.slice() }
  }

  /** Those records that verify and that `expected` accepts; the others are reported. */
  #verified(
    peerId: PeerId,
    records: Uint8Array[],
    expected: (record: ReleaseRecord) => boolean
  ): ReleaseRecord[] {
    const good: ReleaseRecord[] = []
    for (const bytes of records) {
      try {
        // A copy: the record is kept, the frame it came in is not.
        const record = decodeRelease(bytes.slice())
        if (expected(record)) good.push(record)
        else this.#refuse(peerId, `record ${record.id} was not asked for`)
      } catch (thrown) {
        const { code, message } = toCatalogError(thrown)
        // A record of a later format is no fault of the peer that passes it on.
        if (code !== 'UNSUPPORTED') this.#refuse(peerId, message)
      }
    }
    return good
  }

  #refuse(peerId: PeerId, what: string): CatalogError {
    const error = new CatalogError('PROTOCOL_VIOLATION', `${peerId} sent a record that is refused: ${what}`)
    this.#modules.onViolation?.(peerId, error)
    return error
  }
}
