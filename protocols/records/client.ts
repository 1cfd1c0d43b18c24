import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { decodeRelease, type ReleaseRecord } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
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

/** Records verified before the event loop gets its turn: a few milliseconds. */
const RECORDS_PER_TURN = 8

/** Which releases of a name are asked for. */
export interface ListReleases {
  /** `next` of the page before. */
  after?: Uint8Array
  /** Records of this page, at most. */
  limit: number
  /** This version only. */
  version?: string
  /** Those of this owner's key only. */
  owner?: Uint8Array
  /** A hint that versions which it does not match are of no use. */
  range?: string
  signal?: AbortSignal
}

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
      for (const record of await this.#verified(peerId, records, record =>
        wanted.delete(record.id.toString())
      ))
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
  async list(peerId: PeerId, name: string, options: ListReleases): Promise<PeerReleasePage> {
    const { limit, signal, ...filter } = options
    const { records, next } = await this.#modules.control.request(
      peerId,
      listReleases,
      {
        name,
        limit: Math.min(limit, MAX_RECORDS_PER_ANSWER),
        ...filter
      },
      { signal }
    )
    const releases = await this.#verified(peerId, records, record => isAnswer(record, name, options))
    return next.byteLength === 0 ? { releases } : { releases, next: next.slice() }
  }

  /** Those records that verify and that `expected` accepts. The others are reported, and thrown when there is no good one. */
  async #verified(
    peerId: PeerId,
    records: Uint8Array[],
    expected: (record: ReleaseRecord) => boolean
  ): Promise<ReleaseRecord[]> {
    const good: ReleaseRecord[] = []
    const refused: string[] = []
    for (const [index, bytes] of records.entries()) {
      if (index > 0 && index % RECORDS_PER_TURN === 0) await nextTurn()
      try {
        // A copy: the record is kept, the frame it came in is not.
        const record = decodeRelease(bytes.slice())
        if (expected(record)) good.push(record)
        else refused.push(`${record.id} was not asked for`)
      } catch (thrown) {
        const { code, message } = toCatalogError(thrown)
        // A record of a later format is no fault of the peer that passes it on.
        if (code !== 'UNSUPPORTED') refused.push(`${code}: ${message}`)
      }
    }
    if (refused.length === 0) return good
    // One report for an answer: 64 forgeries are not 64 lines in a log.
    const error = this.#refuse(peerId, `${refused.length} of ${records.length}, the first ${refused[0]}`)
    if (good.length === 0) throw error
    return good
  }

  #refuse(peerId: PeerId, what: string): CatalogError {
    const error = new CatalogError('PROTOCOL_VIOLATION', `${peerId} sent records that are refused: ${what}`)
    this.#modules.onViolation?.(peerId, error)
    return error
  }
}

/** Whether a record is one of those asked for. The range is a hint: a peer may not know it. */
function isAnswer({ release }: ReleaseRecord, name: string, { version, owner }: ListReleases): boolean {
  return (
    release.name === name &&
    (version === undefined || release.version === version) &&
    (owner === undefined || bytesEqual(release.owner, owner))
  )
}
