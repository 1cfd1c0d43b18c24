/**
 * Deleting a library of this node, in the worker. In one batch it is not here any more for anybody; then what it had goes, some records at a
 * time, so that others can write between two. Cut off, that goes on at the next start. Its last head stays: were the name made anew in the
 * same epoch, its heads would go back for who knows the old ones. Without the row that says where that was signed, the next head begins
 * a new epoch (heads/own.ts).
 */
import { CatalogError, type Semaphore } from '../../base/index.ts'
import {
  type DatabaseWriter,
  forgetLibraryState,
  HOME_LIBRARY,
  isPublicLibrary,
  KeyFamily,
  makeKey,
  PRIVATE_LIBRARY,
  pinnedOnlyIn,
  planDelete,
  readLibraryState,
  type Slice
} from '../../library/index.ts'
import { forgetPlace } from '../heads/index.ts'
import {
  type Entries,
  entryCount,
  entryHash,
  entryKey,
  iterateEntries,
  type TreeStore
} from '../trie/index.ts'
import {
  deleteOwnLibrary,
  expectOwnLibrary,
  forgetDeleted,
  isBeingDeleted,
  type OwnLibrary,
  readDeleted
} from './own-libraries.ts'

/** Records of one batch; less where less is to be changed at once. */
const RECORDS_PER_BATCH = 2000

export interface DeletionModules {
  database: DatabaseWriter
  writes: Semaphore
  trees: TreeStore
  /** Public key of this node. */
  own: Uint8Array
  /** Leads names to the records of closed libraries that are left. */
  nameClosed(nowMs: number, slice: Slice): Promise<void>
}

/** Some records of a library, in the order of their keys, and the key of the last. */
interface Part {
  readonly recHashes: Uint8Array[]
  readonly last: Uint8Array
}

export class LibraryDeletion {
  readonly #modules: DeletionModules
  readonly #batchRecords: number

  constructor(modules: DeletionModules, { batchChanges }: { batchChanges: number }) {
    this.#modules = modules
    this.#batchRecords = Math.min(RECORDS_PER_BATCH, batchChanges)
  }

  /** NOT_FOUND, INVALID_ARGUMENT, RELEASE_PINNED; TREE_DAMAGED for one that cannot be gone through. */
  async delete(name: string, nowMs: number, slice: Slice): Promise<void> {
    const { database, writes } = this.#modules
    await this.#expectNothingPinned(this.#named(name), slice)
    const library = await writes.run(async () => {
      // Another call may have been faster.
      const found = this.#named(name)
      await database.batch([...deleteOwnLibrary(found), forgetPlace(found.id)], { sync: true })
      return found
    })
    await this.#clear(library, nowMs, slice)
  }

  /** Goes on with what a stop has cut off; of one library, or of all. */
  async finish(nowMs: number, slice: Slice, only?: Uint8Array): Promise<void> {
    for (const library of await Array.fromAsync(readDeleted(this.#modules.database)))
      if (only === undefined || Buffer.from(only).equals(library.id)) await this.#clear(library, nowMs, slice)
  }

  #named(name: string): OwnLibrary {
    const { database, own } = this.#modules
    const library = expectOwnLibrary(database, own, name)
    if (library.libraryId === HOME_LIBRARY || library.libraryId === PRIVATE_LIBRARY)
      throw new CatalogError('INVALID_ARGUMENT', `every node has the library ${name}`, {
        hint: 'take releases out of it: catalog remove NAME@VERSION'
      })
    return library
  }

  /** Of what only a closed library has nothing stays, and a pin says that it is to stay. */
  async #expectNothingPinned({ libraryId, name }: OwnLibrary, slice: Slice): Promise<void> {
    for (let after: Uint8Array | undefined; ; ) {
      const part = this.#partOf(libraryId, after)
      if (part === undefined) return
      const pinned = await pinnedOnlyIn(this.#modules.database, libraryId, part.recHashes)
      if (pinned !== undefined)
        throw new CatalogError('RELEASE_PINNED', `${pinned} is pinned, and only the library ${name} has it`, {
          hint: `run \`catalog unpin ${pinned}\` first, or publish it to another library`
        })
      after = part.last
      if (slice.due()) await slice.pause()
    }
  }

  /**
   * Who changes a record elsewhere may change it here too until it has left: then all is gone through once more. Two calls for one library do
   * no harm, also when the name is made anew as soon as the first has ended: each write looks whether it is still being deleted.
   */
  async #clear(library: OwnLibrary, nowMs: number, slice: Slice): Promise<void> {
    const { database, writes, trees } = this.#modules
    const { libraryId, id } = library
    for (;;) {
      const { revision } = readLibraryState(database, libraryId)
      await this.#leave(library, slice)
      const isLast = await writes.run(async () => {
        if (!isBeingDeleted(database, id)) return true
        if (readLibraryState(database, libraryId).revision !== revision) return false
        await trees.remove(libraryId, [forgetLibraryState(libraryId)])
        return true
      })
      if (isLast) break
    }
    await database.clear(makeKey(KeyFamily.ChangeLog, id))
    if (!isPublicLibrary(libraryId)) await this.#modules.nameClosed(nowMs, slice)
    await writes.run(() => database.batch([forgetDeleted(id)], { sync: true }))
  }

  async #leave({ libraryId, id }: OwnLibrary, slice: Slice): Promise<void> {
    const { database, writes } = this.#modules
    for (let after: Uint8Array | undefined; ; ) {
      const last = await writes.run(async () => {
        const part = isBeingDeleted(database, id) ? this.#partOf(libraryId, after) : undefined
        if (part === undefined) return undefined
        await database.batch(await planDelete(database, libraryId, part.recHashes), { sync: true })
        return part.last
      })
      if (last === undefined) return
      after = last
      if (slice.due()) await slice.pause()
    }
  }

  #partOf(libraryId: string, after: Uint8Array | undefined): Part | undefined {
    const behind = after === undefined ? {} : { after }
    const recHashes: Uint8Array[] = []
    let last: Entries | undefined
    for (const entries of iterateEntries(this.#modules.trees.open(libraryId), behind)) {
      for (let at = 0; at < entryCount(entries); at++) recHashes.push(entryHash(entries, at))
      last = entries
      if (recHashes.length >= this.#batchRecords) break
    }
    return last && { recHashes, last: Uint8Array.from(entryKey(last, entryCount(last) - 1)) }
  }
}
