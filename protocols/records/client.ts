import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  CatalogError,
  type Clock,
  type ErrorCode,
  type RetryPolicy,
  retry,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import {
  decodeRelease,
  decodeStatement,
  type ReleaseRecord,
  releaseKey,
  releaseOf,
  type StatementRecord
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Control } from '../control/index.ts'
import type { RequestType } from '../wire/index.ts'
import { getRecords, listReleases, MAX_RECORDS_PER_ANSWER } from './types.ts'
import { readVerified } from './verified.ts'

export interface RecordClientModules {
  readonly control: Pick<Control, 'request'>
  readonly clock: Clock
  /** A peer sent a record that is not valid or was not asked for. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

/** What one peer told: verified records, and nothing that is not about these releases. */
export interface PeerReleases {
  releases: ReleaseRecord[]
  /** In no special order, and perhaps several for one key: the newest counts. */
  statements: StatementRecord[]
}

/** A page of releases as one peer knows them. */
export interface PeerReleasePage extends PeerReleases {
  /** Goes into the next call; absent on the last page. The peer's own word: how many pages to follow is the caller's bound. */
  next?: Uint8Array
}

/** Answers in which a peer may say "ask again from there" before it has to have said everything. */
const MAX_ROUNDS = MAX_RECORDS_PER_ANSWER

/** A question is asked once more when its stream was cut, or the peer was busy for a moment: reading twice harms nobody. */
const ASK_AGAIN: RetryPolicy = {
  attempts: 2,
  firstDelayMs: 100,
  maxDelayMs: 100,
  factor: 1,
  jitter: 0.5
}
const WORTH_ANOTHER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['STREAM_TRUNCATED', 'BUSY'])
/** A peer that asks for more patience is not waited for: others may answer sooner. */
const MAX_BUSY_MS = SECOND_MS

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

  /** Those of the wanted releases that the peer has, in no special order. Any number of ids. */
  async get(peerId: PeerId, ids: readonly CID[], signal?: AbortSignal): Promise<PeerReleases> {
    const found: PeerReleases = { releases: [], statements: [] }
    let rounds = 0
    for (let from = 0; from < ids.length; ) {
      const part = ids.slice(from, from + MAX_RECORDS_PER_ANSWER)
      const { resumeAt, ...answer } = await this.#ask(
        peerId,
        getRecords,
        { ids: part.map(id => id.bytes) },
        signal
      )
      const wanted = new Set(part.map(String))
      const { releases, statements } = await this.#verified(peerId, answer, record =>
        wanted.delete(record.id.toString())
      )
      found.releases.push(...releases)
      found.statements.push(...statements)
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
    const { next, ...answer } = await this.#ask(
      peerId,
      listReleases,
      {
        name,
        limit: Math.min(limit, MAX_RECORDS_PER_ANSWER),
        ...filter
      },
      signal
    )
    const page = await this.#verified(peerId, answer, record => isAnswer(record, name, options))
    return next.byteLength === 0 ? page : { ...page, next: next.slice() }
  }

  #ask<Q, A>(
    peerId: PeerId,
    type: RequestType<Q, A>,
    message: Partial<Q>,
    signal: AbortSignal | undefined
  ): Promise<A> {
    const { control, clock } = this.#modules
    return retry(() => control.request(peerId, type, message, { signal }), ASK_AGAIN, {
      clock,
      ...(signal && { signal }),
      delayOf: busyMs,
      retryable: thrown =>
        WORTH_ANOTHER.has(toCatalogError(thrown).code) && (busyMs(thrown) ?? 0) <= MAX_BUSY_MS
    })
  }

  /**
   * Those releases that verify and that `expected` accepts, and what is said of these. The rest is reported, and thrown when there is no good
   * release.
   */
  async #verified(
    peerId: PeerId,
    answer: { records: Uint8Array[]; statements: Uint8Array[] },
    expected: (record: ReleaseRecord) => boolean
  ): Promise<PeerReleases> {
    const refused: string[] = []
    const releases = await readVerified(answer.records, decodeRelease, expected, refused)
    const keys = new Set(releases.map(({ release }) => keyText(releaseKey(release))))
    const isAboutThese = (statement: StatementRecord): boolean =>
      keys.has(keyText(releaseKey(releaseOf(statement))))
    const statements = await readVerified(answer.statements, decodeStatement, isAboutThese, refused)
    if (refused.length === 0) return { releases, statements }
    // One report for an answer: 64 forgeries are not 64 lines in a log.
    const count = answer.records.length + answer.statements.length
    const error = this.#refuse(peerId, `${refused.length} of ${count}, the first ${refused[0]}`)
    if (releases.length === 0) throw error
    return { releases, statements }
  }

  #refuse(peerId: PeerId, what: string): CatalogError {
    const error = new CatalogError('PROTOCOL_VIOLATION', `${peerId} sent records that are refused: ${what}`)
    this.#modules.onViolation?.(peerId, error)
    return error
  }
}

/** How long the peer itself asked to be left alone. */
function busyMs(thrown: unknown): number | undefined {
  const asked = toCatalogError(thrown).details?.retryAfterMs
  return typeof asked === 'number' ? asked : undefined
}

const keyText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

/** Whether a record is one of those asked for. The range is a hint: a peer may not know it. */
function isAnswer({ release }: ReleaseRecord, name: string, { version, owner }: ListReleases): boolean {
  return (
    release.name === name &&
    (version === undefined || release.version === version) &&
    (owner === undefined || bytesEqual(release.owner, owner))
  )
}
