/**
 * What this node holds for others, and what it was told to: a row in the database for each content, which keeps the content from every
 * collection as long as it stands. A row without a content is a copy that is still on its way, so a restart goes on with it.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock, type Logger, Semaphore } from '../../../base/index.ts'
import {
  type ContentStore,
  type Database,
  KeyFamily,
  makeKey,
  mirrorCopyKey,
  type ReleaseRecord
} from '../../../library/index.ts'
import { CAUSES, type Cause } from '../../../mirror/index.ts'

/** As many contents as are planned for, about 300 bytes each. */
export const MAX_COPIES = 100_000
/** A row is a name, an id and a few words; a longer one is damage. */
const MAX_ROW_BYTES = 1024
/** Changes that wait for the one before: some takes, and what an operator asks. */
const MAX_CHANGES = 1000
/** Of one write: one for each row has the disk flush as often. */
const ROWS_PER_WRITE = 1000

export interface MirrorCopy {
  readonly content: CID
  /** Id of the record, as text. */
  readonly record: string
  readonly name: string
  readonly version: string
  /** Whether the operator wants it here whatever its rank. */
  readonly isPinned: boolean
  /** Why and since when it is taken; absent for what is pinned and not taken yet. */
  readonly taken?: {
    readonly cause: Cause
    /** Milliseconds since the epoch. */
    readonly at: number
    /** Whether the content was here for other reasons: then it stays when the copy is let go of. */
    readonly wasHere: boolean
  }
}

type Row = Omit<MirrorCopy, 'content'>

export interface CopiesModules {
  database: Database
  clock: Pick<Clock, 'now'>
  logger: Logger
}

export class Copies {
  readonly #modules: CopiesModules
  readonly #copies = new Map<string, MirrorCopy>()
  /** One after the other: each keeps what the one before has written. */
  readonly #changes = new Semaphore({ name: 'changes of copies', maxActive: 1, maxWaiting: MAX_CHANGES })

  /** What earlier lives of the daemon took. A row that cannot be read goes: what it was about is planned anew. */
  static async open(modules: CopiesModules, signal?: AbortSignal): Promise<Copies> {
    const { database, logger } = modules
    const copies = new Copies(modules)
    const prefix = makeKey(KeyFamily.MirrorCopy)
    for await (const [key, value] of database.iterate({ prefix, limit: MAX_COPIES }, signal)) {
      const copy = readCopy(key.subarray(prefix.byteLength), value)
      if (copy !== undefined) copies.#copies.set(copy.content.toString(), copy)
      else {
        logger.warn({}, 'the row of a mirrored content cannot be read')
        await database.write([{ type: 'del', key: Uint8Array.from(key) }], { sync: false })
      }
    }
    return copies
  }

  private constructor(modules: CopiesModules) {
    this.#modules = modules
  }

  of(content: string): MirrorCopy | undefined {
    return this.#copies.get(content)
  }

  all(): Iterable<MirrorCopy> {
    return this.#copies.values()
  }

  get size(): number {
    return this.#copies.size
  }

  /** Held for others, or on their way. */
  *taken(): Generator<MirrorCopy> {
    for (const copy of this.#copies.values()) if (copy.taken !== undefined) yield copy
  }

  /** Those that are whole here. */
  *held(content: Pick<ContentStore, 'localState'>): Generator<MirrorCopy> {
    for (const copy of this.taken()) if (content.localState(copy.content) === 'complete') yield copy
  }

  /** Nothing is held for others any more but what is pinned; what is here of it stays until the room is needed. */
  async letGoOfAll(): Promise<number> {
    const gone = [...this.taken()].filter(({ isPinned }) => !isPinned)
    await this.#changes.run(() => this.#remove(gone.map(({ content }) => content)))
    return gone.length
  }

  /** From now on it is held for others, or on its way. Durable when it resolves. LIMIT_EXCEEDED. */
  async take(record: ReleaseRecord, { cause, wasHere }: { cause: Cause; wasHere: boolean }): Promise<void> {
    await this.#changes.run(async () => {
      const known = this.of(record.release.content.toString())
      const taken = known?.taken ?? { cause, at: this.#modules.clock.now(), wasHere }
      await this.#put(record, { isPinned: known?.isPinned ?? false, taken })
    })
  }

  /** It is held for others no more, pinned or not. Durable when it resolves. */
  async letGo(content: CID): Promise<void> {
    await this.#changes.run(() => this.#remove([content]))
  }

  /** LIMIT_EXCEEDED. */
  async pin(record: ReleaseRecord): Promise<void> {
    await this.#changes.run(() => this.#put(record, { ...this.#takenOf(record), isPinned: true }))
  }

  /** What was taken stays until a plan lets go of it. */
  async unpin(record: ReleaseRecord): Promise<void> {
    await this.#changes.run(async () => {
      const rest = this.#takenOf(record)
      if (rest.taken === undefined) await this.#remove([record.release.content])
      else await this.#put(record, { ...rest, isPinned: false })
    })
  }

  #takenOf({ release }: ReleaseRecord): Pick<MirrorCopy, 'taken'> {
    const taken = this.of(release.content.toString())?.taken
    return taken === undefined ? {} : { taken }
  }

  async #remove(contents: readonly CID[]): Promise<void> {
    for (let from = 0; from < contents.length; from += ROWS_PER_WRITE) {
      const part = contents.slice(from, from + ROWS_PER_WRITE)
      for (const content of part) this.#copies.delete(content.toString())
      const dels = part.map(({ bytes }) => ({ type: 'del', key: mirrorCopyKey(bytes) }) as const)
      await this.#modules.database.write(dels, { sync: true })
    }
  }

  async #put({ id, release }: ReleaseRecord, rest: Pick<MirrorCopy, 'isPinned' | 'taken'>): Promise<void> {
    const { content, name, version } = release
    if (this.size >= MAX_COPIES && this.of(content.toString()) === undefined)
      throw new CatalogError('LIMIT_EXCEEDED', `${MAX_COPIES} contents are held for others already`, {
        hint: 'lower mirror.quota, or unpin what others hold: `catalog mirror status` shows it'
      })
    const row: Row = { record: id.toString(), name, version, ...rest }
    const value = Buffer.from(JSON.stringify(row))
    await this.#modules.database.write([{ type: 'put', key: mirrorCopyKey(content.bytes), value }], {
      sync: true
    })
    this.#copies.set(content.toString(), { content, ...row })
  }
}

function readCopy(content: Uint8Array, value: Uint8Array): MirrorCopy | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const { record, name, version, isPinned, taken } = JSON.parse(
      Buffer.from(value).toString()
    ) as Partial<Row>
    if (typeof record !== 'string' || typeof name !== 'string' || typeof version !== 'string')
      return undefined
    return {
      content: CID.decode(Uint8Array.from(content)),
      ...{ record, name, version, isPinned: isPinned === true },
      ...(isTaken(taken) ? { taken } : {})
    }
  } catch {
    return undefined
  }
}

const isTaken = (taken: Row['taken']): taken is NonNullable<Row['taken']> =>
  taken !== undefined &&
  Number.isSafeInteger(taken.at) &&
  typeof taken.wasHere === 'boolean' &&
  CAUSES.includes(taken.cause)
