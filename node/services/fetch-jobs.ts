/**
 * Fetches that were asked for and have not ended: one small row each in the database, so that a daemon that is stopped
 * or killed goes on with them at its next start. What was verified before is not asked for again; that is the store's
 * business, here is only which release was wanted.
 */
import { CatalogError } from '../../base/index.ts'
import { type Database, KeyFamily, makeKey } from '../../library/index.ts'
import { PRIORITIES, type Priority } from '../../protocols/index.ts'

export interface FetchJob {
  /** CID of the record, as text. */
  id: string
  name: string
  version: string
  /** Milliseconds since the epoch. */
  startedAt: number
  priority: Priority
  /** Whether it was known from closed libraries only, so that strangers may not be asked for its name. */
  isClosed?: boolean
}

/** Jobs that are kept, and so fetches that run or wait at once: beyond it BUSY. */
export const MAX_JOBS = 1000
/** A row is about 200 bytes; a longer one is damage. */
const MAX_ROW_BYTES = 4096

export class FetchJobs {
  readonly #database: Database
  /** Ids of those that this life of the daemon began. */
  readonly #underWay = new Set<string>()

  constructor(modules: { database: Database }) {
    this.#database = modules.database
  }

  isUnderWay(id: string): boolean {
    return this.#underWay.has(id)
  }

  /** Durable when it resolves. One that is gone on with keeps the time at which it was first asked for. */
  async begin(job: FetchJob, signal: AbortSignal): Promise<void> {
    if (this.#underWay.size >= MAX_JOBS)
      throw new CatalogError('BUSY', `${MAX_JOBS} fetches are under way already`, {
        details: { maxJobs: MAX_JOBS }
      })
    const row = this.#database.get(jobKey(job.id))
    const startedAt = (row && readJob(row))?.startedAt ?? job.startedAt
    const value = Buffer.from(JSON.stringify({ ...job, startedAt }))
    await this.#database.write([{ type: 'put', key: jobKey(job.id), value }], { sync: true, signal })
    this.#underWay.add(job.id)
  }

  /** It is not under way any more, and still wanted. */
  leave(id: string): void {
    this.#underWay.delete(id)
  }

  /** Not flushed: a job that comes back after a power cut finds its content complete and ends at once. */
  async end(id: string): Promise<void> {
    this.#underWay.delete(id)
    await this.#database.write([{ type: 'del', key: jobKey(id) }], { sync: false })
  }

  /** Jobs of an earlier life of the daemon, and those under way. A row that cannot be read is dropped. */
  async unfinished(signal: AbortSignal): Promise<FetchJob[]> {
    const jobs: FetchJob[] = []
    const prefix = makeKey(KeyFamily.FetchJob)
    for await (const [key, value] of this.#database.iterate({ prefix, limit: MAX_JOBS }, signal)) {
      const job = readJob(value)
      if (job === undefined) await this.#database.write([{ type: 'del', key }], { sync: false, signal })
      else jobs.push(job)
    }
    return jobs
  }
}

const jobKey = (id: string): Uint8Array => makeKey(KeyFamily.FetchJob, Buffer.from(id))

function readJob(value: Uint8Array): FetchJob | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const row = JSON.parse(Buffer.from(value).toString()) as Partial<FetchJob>
    const { id, name, version, startedAt } = row
    if (typeof id !== 'string' || typeof name !== 'string' || typeof version !== 'string') return undefined
    const priority = PRIORITIES.find(known => known === row.priority) ?? 'normal'
    const closed = row.isClosed === true ? { isClosed: true } : {}
    return { id, name, version, startedAt: Number(startedAt), priority, ...closed }
  } catch {
    return undefined
  }
}
