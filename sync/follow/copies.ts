/**
 * The copies of followed libraries in the database, in the worker. A copy changes in one batch with everything that follows from it,
 * and only to what a head says; what is too large for a batch is made as a second copy, in many, which nobody is shown before it
 * is whole.
 */

import { type Semaphore, toCatalogError } from '../../base/index.ts'
import {
  type CommitModules,
  Commits,
  type DatabaseReader,
  type DatabaseWriter,
  decodeVerifiedMember,
  forgetLibraryState,
  type MemberRecord,
  planFollowed,
  planIndex,
  planRetire,
  readableMember,
  type Slice,
  type WriteOperation
} from '../../library/index.ts'
import type { Head } from '../heads/index.ts'
import { type Entries, entryCount, entryHash, iterateEntries, type TreeStore } from '../trie/index.ts'
import type { FollowLimits } from './limits.ts'
import { planOblivion, putListTaken } from './remembered.ts'
import {
  copyName,
  delFollowed,
  type FollowedRow,
  newFollowed,
  nextCopy,
  putFollowed,
  readAllFollowed,
  readFollowed
} from './rows.ts'

/** Records of one batch of a copy that is being made, led to by names, or taken away: others can write between two. */
const RECORDS_PER_BATCH = 2000

/** Where a record joins, is replaced or leaves. */
export interface CopyChange {
  readonly trieKey: Uint8Array
  /** recHash of what stands there. */
  readonly before: Uint8Array | undefined
  /** Signed bytes of what is to stand there; verified. */
  readonly record: Uint8Array | undefined
}

/** What a copy is equal to from now on. */
export interface Accepted {
  readonly head: Head
  readonly nowMs: number
  /** Of a closed library: sequence of the newest access list that is known. */
  readonly listTaken: number | undefined
}

/** What a copy beside the one that counts is begun as. */
interface Begun {
  readonly isClosed: boolean
  /** With nothing, whatever the one that counts has. */
  readonly isAnew: boolean
  /** By a bundle, not by a session. */
  readonly isOfBundle: boolean
}

export interface CopiesModules {
  database: DatabaseWriter
  writes: Semaphore
  trees: TreeStore
  companion: CommitModules['companion']
  /** Public key of this node. */
  own: Uint8Array
  limits: Pick<FollowLimits, 'remembered'>
}

/** A library, and whose it is. */
export interface FollowedId {
  readonly library: Uint8Array
  /** Public key of its node. */
  readonly writer: Uint8Array
  /** Its name there. */
  readonly name: string
}

export class Copies {
  readonly #modules: CopiesModules
  readonly #commits: Commits

  constructor(modules: CopiesModules) {
    this.#modules = modules
    const { database, writes, companion } = modules
    this.#commits = new Commits({ writer: database, writes, companion })
  }

  /** What is known of a library, as `reader` shows it. Throws CONTENT_CORRUPT. */
  read(id: FollowedId, reader: DatabaseReader = this.#modules.database): FollowedRow {
    return readFollowed(reader, id.library) ?? newFollowed(id)
  }

  /** Changes the copy that counts, in one batch with the head that it is equal to then. */
  async accept(
    id: FollowedId,
    { changes, ...accepted }: { changes: readonly CopyChange[] } & Accepted
  ): Promise<void> {
    const row = this.read(id)
    const isNew = row.copy === 0
    const { head, nowMs } = accepted
    const { isClosed } = head
    const copy = isNew ? nextCopy(row) : row.copy
    const next = { ...row, copy, isOfBundle: false, isClosed, head, syncedMs: nowMs }
    const rows = putAccepted(id, next, accepted)
    if (changes.length === 0) {
      await this.#write(rows)
      return
    }
    await this.#commits.run(async () => {
      const libraryId = copyName(id.library, next.copy, next)
      const plan = await planFollowed(this.#modules.database, {
        libraryId,
        ...split(changes),
        isIndexed: true
      })
      return { ...plan, operations: [...plan.operations, ...rows] }
    }, nowMs)
  }

  /**
   * Makes changes in the copy beside the one that counts; the first time with everything that that one has, or with nothing where it
   * `isAnew`. Its number.
   */
  async stage(
    id: FollowedId,
    { changes, nowMs, ...begun }: { changes: readonly CopyChange[]; nowMs: number } & Begun,
    slice: Slice
  ): Promise<number> {
    const { isClosed, isOfBundle } = begun
    const row = this.read(id)
    const staged = row.staged || (await this.#beginStaged(id, { ...begun, nowMs }, slice))
    // What a session goes on with is its own from then on; what it had begun stays that, whatever a bundle puts into it.
    if (row.isOfBundle && !isOfBundle) await this.#update(id, { isOfBundle: false })
    const libraryId = copyName(id.library, staged, { isClosed })
    for (let from = 0; from < changes.length; from += RECORDS_PER_BATCH) {
      const part = split(changes.slice(from, from + RECORDS_PER_BATCH))
      await this.#commits.run(
        () => planFollowed(this.#modules.database, { libraryId, ...part, isIndexed: false }),
        nowMs
      )
      if (slice.due()) await slice.pause()
    }
    return staged
  }

  /** The copy that was made beside it counts from now on. */
  async promote(id: FollowedId, accepted: Accepted, slice: Slice): Promise<void> {
    const { head, nowMs } = accepted
    const row = this.read(id)
    const next = {
      ...row,
      copy: row.staged,
      staged: 0,
      isOfBundle: false,
      retiring: row.copy,
      isIndexing: true,
      head
    }
    await this.#write(putAccepted(id, { ...next, syncedMs: nowMs }, accepted))
    await this.finish(id, nowMs, slice)
  }

  /** Goes on with what a promotion leaves to be done, if it was cut off: names, and the copy before. */
  async finish(id: FollowedId, nowMs: number, slice: Slice): Promise<void> {
    const row = this.read(id)
    if (row.isIndexing) {
      const indexed = copyName(id.library, row.copy, row)
      // Whole still: it goes when names lead to what is new.
      const before = row.retiring === 0 ? undefined : copyName(id.library, row.retiring, row)
      await this.#inBatches(indexed, slice, hashes =>
        this.#commits.run(() => planIndex(this.#modules.database, hashes, before), nowMs)
      )
      await this.#update(id, { isIndexing: false })
    }
    if (row.retiring !== 0) {
      await this.#retire(copyName(id.library, row.retiring, row), slice)
      await this.#update(id, { retiring: 0 })
    }
  }

  /** Follows a library no more: what came with it stays known only as far as names lead to it, and how new it was. */
  async forget(id: FollowedId, nowMs: number, slice: Slice): Promise<void> {
    const { isClosed } = this.read(id)
    await this.finish(id, nowMs, slice)
    await this.discardStaged(id, nowMs, slice)
    await this.#update(id, { copy: 0, retiring: this.read(id).copy, head: undefined })
    await this.finish(id, nowMs, slice)
    await this.#write([delFollowed(id.library)])
    await this.#forgetEarliest()
    if (isClosed) await this.nameClosed(nowMs, slice)
  }

  async #forgetEarliest(): Promise<void> {
    const { database, writes, own, limits } = this.#modules
    await writes.run(async () => {
      const operations = await planOblivion(database, { own, limit: limits.remembered })
      if (operations.length > 0) await database.batch(operations, { sync: true })
    })
  }

  /**
   * Leads names to the records of closed libraries that are left: where two had the same release, names led to the newer one, and it may have
   * gone. A name that closed libraries have must stay known, or strangers would be asked for it.
   */
  async nameClosed(nowMs: number, slice: Slice): Promise<void> {
    const { database } = this.#modules
    for (const { library, readRow } of await Array.fromAsync(readAllFollowed(database))) {
      const row = unlessCorrupt(readRow)
      if (row === undefined || row.copy === 0 || !row.isClosed) continue
      await this.#inBatches(copyName(library, row.copy, row), slice, hashes =>
        this.#commits.run(() => planIndex(database, hashes, undefined), nowMs)
      )
    }
  }

  /** Takes away a copy beside the one that counts, if there is one; nothing else is being taken away. */
  async discardStaged(id: FollowedId, nowMs: number, slice: Slice): Promise<void> {
    const { staged } = this.read(id)
    if (staged === 0) return
    // Nobody is shown a copy that is being taken away; cut off, the next call goes on.
    await this.#update(id, { staged: 0, retiring: staged })
    await this.finish(id, nowMs, slice)
  }

  /** Lets go of what a bundle has begun beside the copy that counts, of which the rest will not come; without such a copy nothing stays. */
  async giveUpBundle(id: FollowedId, nowMs: number, slice: Slice): Promise<void> {
    const { copy, isOfBundle } = this.read(id)
    if (!isOfBundle) return
    if (copy === 0) return await this.forget(id, nowMs, slice)
    await this.discardStaged(id, nowMs, slice)
    // Last: cut off before, the next call goes on.
    await this.#update(id, { isOfBundle: false })
  }

  async #beginStaged(
    id: FollowedId,
    { isClosed, isAnew, isOfBundle, nowMs }: Begun & { nowMs: number },
    slice: Slice
  ): Promise<number> {
    const { database } = this.#modules
    const row = this.read(id)
    const staged = nextCopy(row)
    await this.#write([putFollowed(id.library, { ...row, staged, isClosed, isOfBundle })])
    if (row.copy === 0 || isAnew) return staged
    const libraryId = copyName(id.library, staged, { isClosed })
    await this.#inBatches(copyName(id.library, row.copy, row), slice, hashes =>
      this.#commits.run(() => {
        // One that cannot be read is left out, and comes again from the peer with the next comparison.
        const joining = hashes.flatMap(recHash => readableMember(database, recHash) ?? [])
        return planFollowed(database, { libraryId, joining, leaving: [], isIndexed: false })
      }, nowMs)
    )
    return staged
  }

  async #retire(libraryId: string, slice: Slice): Promise<void> {
    const { database, writes, trees } = this.#modules
    await this.#inBatches(libraryId, slice, hashes =>
      writes.run(async () => database.batch(await planRetire(database, libraryId, hashes), { sync: true }))
    )
    await writes.run(() => trees.remove(libraryId, [forgetLibraryState(libraryId)]))
  }

  /** The records of a copy, some at a time, which does not change meanwhile. */
  async #inBatches(
    libraryId: string,
    slice: Slice,
    work: (recHashes: Uint8Array[]) => Promise<unknown>
  ): Promise<void> {
    for (const part of partsOf(iterateEntries(this.#modules.trees.open(libraryId)))) {
      await work(part)
      if (slice.due()) await slice.pause()
    }
  }

  async #update(id: FollowedId, change: Partial<FollowedRow>): Promise<void> {
    await this.#write([putFollowed(id.library, { ...this.read(id), ...change })])
  }

  async #write(operations: WriteOperation[]): Promise<void> {
    const { database, writes } = this.#modules
    await writes.run(() => database.batch(operations, { sync: true }))
  }
}

const putAccepted = (id: FollowedId, row: FollowedRow, { listTaken }: Accepted): WriteOperation[] => [
  putFollowed(id.library, row),
  ...(listTaken === undefined ? [] : [putListTaken(id, listTaken)])
]

/** One that cannot be read is told of by who asks for it. */
function unlessCorrupt(readRow: () => FollowedRow): FollowedRow | undefined {
  try {
    return readRow()
  } catch (thrown) {
    if (toCatalogError(thrown).code === 'CONTENT_CORRUPT') return undefined
    throw thrown
  }
}

/** recHashes of the records of a copy, some at a time. */
function* partsOf(entries: Iterable<Entries>): Generator<Uint8Array[]> {
  let part: Uint8Array[] = []
  for (const bucket of entries) {
    for (let at = 0; at < entryCount(bucket); at++) part.push(entryHash(bucket, at))
    if (part.length < RECORDS_PER_BATCH) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

/** Records that go, replaced ones included. */
export const removedIn = (changes: readonly CopyChange[]): number =>
  changes.filter(({ before }) => before !== undefined).length

/** Records are decoded as they are planned: those of a batch would take twenty times their bytes. */
function split(changes: readonly CopyChange[]): {
  joining: Iterable<MemberRecord>
  leaving: Array<{ trieKey: Uint8Array; recHash: Uint8Array }>
} {
  const isReal = ({ before, record }: CopyChange): boolean => before !== undefined || record !== undefined
  const real = changes.filter(isReal)
  return {
    joining: decoded(real),
    leaving: real.flatMap(({ trieKey, before }) =>
      before === undefined ? [] : [{ trieKey, recHash: before }]
    )
  }
}

function* decoded(changes: readonly CopyChange[]): Generator<MemberRecord> {
  for (const { record } of changes) if (record !== undefined) yield decodeVerifiedMember(record)
}
