/**
 * Who may know of what: the one question that every protocol asks before it tells a peer anything. A public library is for everybody. A
 * closed one is for the node whose library it is and for those whom its access list admits, as long as that list holds; the list stands in the
 * library itself, so a node that follows a library answers for it as its writer does. A record is for whoever may know of one of the
 * libraries that have it, or for everybody when it came by itself. What cannot be read admits nobody.
 */
import { CatalogError, type Logger, LruCache, toCatalogError } from '../../base/index.ts'
import {
  type AccessList,
  accessListKey,
  type DatabaseReader,
  decodeAccessList,
  idOfCopy,
  isAdmitted,
  isClosedRecord,
  isFollowedLibrary,
  isPublicLibrary,
  isTimely,
  librariesOf,
  nameOfOwn,
  PRIVATE_LIBRARY,
  readRecordBytes,
  recordHash,
  type SignedRecord
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { readFollowed } from '../follow/rows.ts'
import { libraryIdOf, readHead } from '../heads/index.ts'
import { findRecord, openTree } from '../trie/index.ts'
import { isBeingDeleted } from './own-libraries.ts'

/** Decoded lists that are kept, of 16 KiB at most: those of as many libraries. */
const MAX_KEPT_LISTS = 256

export interface AudiencesModules {
  log: Logger
}

export interface AudiencesOptions {
  /** Public key of this node. */
  own: Uint8Array
}

export class Audiences {
  readonly #modules: AudiencesModules
  readonly #own: Uint8Array
  /** By recHash: a record never changes. */
  readonly #kept = new LruCache<string, AccessList>({ maxEntries: MAX_KEPT_LISTS })

  /** Libraries whose lists cannot be read: logged once, as peers ask again and again. */
  readonly #unreadable = new Set<string>()

  constructor(modules: AudiencesModules, { own }: AudiencesOptions) {
    this.#modules = modules
    this.#own = own
  }

  /** Whether a node, by its public key, may know of a library, by its name here, at a time. */
  admits(reader: DatabaseReader, node: Uint8Array, libraryId: string, nowMs: number): boolean {
    if (isPublicLibrary(libraryId)) return true
    if (libraryId === PRIVATE_LIBRARY) return false
    // What is left of one that was deleted is for nobody.
    if (!isFollowedLibrary(libraryId) && isBeingDeleted(reader, this.#idOfOwn(libraryId))) return false
    const list = this.listOf(reader, libraryId)
    if (list === undefined || !isAdmitted(list, node, nowMs)) return false
    return bytesEqual(node, this.#own) || !this.isEarlier(reader, libraryId, nowMs)
  }

  /**
   * Whether the access list of a library of this node is from before its home was restored or copied: it may name nodes that have been taken
   * off since, and only the operator knows. Where a clock that was ahead began the epoch, no list can say it.
   */
  isEarlier(reader: DatabaseReader, libraryId: string, nowMs: number): boolean {
    if (isFollowedLibrary(libraryId) || isPublicLibrary(libraryId)) return false
    const list = this.listOf(reader, libraryId)
    const epoch = this.#epochOf(reader, libraryId)
    return list !== undefined && list.sequence < epoch && isTimely(epoch, nowMs)
  }

  /** Of the last head of a library of this node; 0 when none is signed, or it cannot be read: then nothing of the library is shown. */
  #epochOf(reader: DatabaseReader, libraryId: string): number {
    try {
      return readHead(reader, this.#idOfOwn(libraryId), this.#own)?.epoch ?? 0
    } catch (err) {
      if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
      return 0
    }
  }

  /** Whether a node may know of a record that is here. */
  async admitsTo(
    reader: DatabaseReader,
    node: Uint8Array,
    record: Pick<SignedRecord, 'id' | 'bytes'>,
    nowMs: number
  ): Promise<boolean> {
    if (!isClosedRecord(reader, record)) return true
    const libraries = await librariesOf(reader, recordHash(record.bytes))
    // That somebody else's public library has it too opens nothing (library/registry/visibility.ts).
    return libraries.some(
      libraryId => !isCopyForAll(libraryId) && this.admits(reader, node, libraryId, nowMs)
    )
  }

  /** The access list of a closed library; undefined when there is none that can be read. */
  listOf(reader: DatabaseReader, libraryId: string): AccessList | undefined {
    try {
      const list = this.read(reader, libraryId)
      this.#unreadable.delete(libraryId)
      return list
    } catch (err) {
      const fields = { err, library: libraryId }
      if (!this.#unreadable.has(libraryId))
        this.#modules.log.error(fields, 'an access list cannot be read: nobody is admitted')
      this.#unreadable.add(libraryId)
      return undefined
    }
  }

  /** The same; throws for one that cannot be read. */
  read(reader: DatabaseReader, libraryId: string): AccessList | undefined {
    const { id, writer } = this.#identify(reader, libraryId)
    const recHash = findRecord(openTree(reader, libraryId), accessListKey(writer, id))
    if (recHash === undefined) return undefined
    const key = Buffer.from(recHash).toString('latin1')
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const bytes = readRecordBytes(reader, recHash)
    if (bytes === undefined) throw new CatalogError('CONTENT_CORRUPT', 'the access list is not stored')
    const list = decodeAccessList(bytes)
    this.#kept.set(key, list)
    return list
  }

  #idOfOwn(libraryId: string): Uint8Array {
    return libraryIdOf(this.#own, nameOfOwn(libraryId))
  }

  /** By what others know a closed library, and whose it is. */
  #identify(reader: DatabaseReader, libraryId: string): { id: Uint8Array; writer: Uint8Array } {
    if (!isFollowedLibrary(libraryId)) return { id: this.#idOfOwn(libraryId), writer: this.#own }
    const id = idOfCopy(libraryId)
    const row = readFollowed(reader, id)
    if (row === undefined) throw new CatalogError('NOT_FOUND', 'this library is not followed')
    return { id, writer: row.writer }
  }
}

const isCopyForAll = (libraryId: string): boolean =>
  isFollowedLibrary(libraryId) && isPublicLibrary(libraryId)
