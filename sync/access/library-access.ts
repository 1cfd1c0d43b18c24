import type { Clock, Logger } from '../../base/index.ts'
import {
  type AccessList,
  type DatabaseReader,
  idOfCopy,
  isFollowedLibrary,
  type Library,
  librariesOf,
  nameOfOwn,
  recordHash,
  type SignedRecord
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { libraryOf } from '../find-library.ts'
import { readCopyNames, readFollowed } from '../follow/rows.ts'
import { libraryIdOf } from '../heads/index.ts'
import { WorkerSide } from '../worker-side.ts'
import { Audiences } from './audiences.ts'
import { type Group, readGroups } from './groups.ts'
import type { MemberChange, NewLibrary } from './keeper.ts'
import {
  type Access,
  expectOwnLibrary,
  type OwnLibrary,
  readOwnLibraries,
  readOwnLibrary,
  readOwnReadable
} from './own-libraries.ts'

export interface LibraryAccessModules {
  library: Pick<Library, 'snapshot' | 'companion'>
  clock: Pick<Clock, 'now'>
  log: Logger
}

/** A library that has a record. */
export interface HavingLibrary {
  /** Public key of the node whose library it is. */
  readonly writer: Uint8Array
  /** Its name there. */
  readonly name: string
  /** `closed`: of another node, and not for everybody. */
  readonly access: Access | 'closed'
  /** Of another node: until when the head of the copy may be relied on, ms since the epoch. */
  readonly expires?: number
}

/** The libraries of this node, and who may know of which library and record, as the main thread has it. */
export class LibraryAccess {
  readonly #modules: LibraryAccessModules
  readonly #writer: Uint8Array
  readonly #worker: WorkerSide
  readonly #audiences: Audiences

  /** `writer`: public key of this node. */
  constructor(modules: LibraryAccessModules, { writer }: { writer: Uint8Array }) {
    this.#modules = modules
    this.#writer = writer
    this.#worker = new WorkerSide(modules.library)
    this.#audiences = new Audiences(modules, { own: writer })
  }

  /** Whether a node, by its public key, may know of a library that is here or followed; false when it is neither. */
  admits(library: Uint8Array, node: Uint8Array): Promise<boolean> {
    return this.#worker.reading(async reader => {
      const found = libraryOf(reader, library, this.#writer)
      return found !== undefined && this.#audiences.admits(reader, node, found.libraryId, this.#now())
    })
  }

  /**
   * The libraries that are here or followed and of which a node may know. All of them are looked at, so what it takes says nothing of any
   * single one: for questions about many.
   */
  knownTo(node: Uint8Array): Promise<Uint8Array[]> {
    return this.#worker.reading(async reader => {
      const known: Uint8Array[] = []
      const admits = (libraryId: string): boolean =>
        this.#audiences.admits(reader, node, libraryId, this.#now())
      for await (const { id, libraryId } of readOwnReadable(reader, this.#writer))
        if (admits(libraryId)) known.push(id)
      for await (const { library, libraryId } of readCopyNames(reader))
        if (libraryId !== undefined && admits(libraryId)) known.push(library)
      return known
    })
  }

  /** Whether a node may know of a record that is here. */
  admitsTo(record: Pick<SignedRecord, 'id' | 'bytes'>, node: Uint8Array): Promise<boolean> {
    return this.#worker.reading(reader => this.#audiences.admitsTo(reader, node, record, this.#now()))
  }

  /** The access list of a closed library, by its name here; undefined when it has none that can be read. */
  accessOf(libraryId: string): Promise<AccessList | undefined> {
    return this.#worker.reading(async reader => this.#audiences.listOf(reader, libraryId))
  }

  /** Whether the access list of a library of this node is from before its home was restored or copied: it admits nobody. */
  isEarlier(libraryId: string): Promise<boolean> {
    return this.#worker.reading(async reader => this.#audiences.isEarlier(reader, libraryId, this.#now()))
  }

  /** The libraries of this node. */
  own(signal?: AbortSignal): Promise<OwnLibrary[]> {
    return this.#worker.reading(reader => Array.fromAsync(readOwnLibraries(reader, this.#writer, signal)))
  }

  /** The library of this node that it calls so. NOT_FOUND. */
  ownNamed(name: string): Promise<OwnLibrary> {
    return this.#worker.reading(async reader => expectOwnLibrary(reader, this.#writer, name))
  }

  /** The libraries that have a record, those of this node first. */
  having({ bytes }: Pick<SignedRecord, 'bytes'>): Promise<HavingLibrary[]> {
    return this.#worker.reading(async reader => {
      const having = (await librariesOf(reader, recordHash(bytes))).map(libraryId =>
        isFollowedLibrary(libraryId) ? theirs(reader, libraryId) : this.#ours(reader, libraryId)
      )
      const found = having.filter(library => library !== undefined)
      return found.sort((one, other) => Number(this.#isOurs(other)) - Number(this.#isOurs(one)))
    })
  }

  /** Groups of nodes that libraries are made for. */
  groups(signal?: AbortSignal): Promise<Group[]> {
    return this.#worker.reading(reader => Array.fromAsync(readGroups(reader, signal)))
  }

  /** Makes a library of this node, with its first head. INVALID_ARGUMENT, LIBRARY_EXISTS, LIMIT_EXCEEDED. */
  create(library: NewLibrary, signal?: AbortSignal): Promise<undefined> {
    return this.#worker.ask('createLibrary', { library, nowMs: this.#now() }, signal)
  }

  /** Deletes a library of this node: it is here for nobody any more when this resolves. NOT_FOUND, INVALID_ARGUMENT, RELEASE_PINNED, TREE_DAMAGED. */
  delete(name: string, signal?: AbortSignal): Promise<undefined> {
    return this.#worker.ask('deleteLibrary', { name, nowMs: this.#now() }, signal)
  }

  /** Changes whom a library of this node is for: in force when this resolves. NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  changeMembers(name: string, change: MemberChange, signal?: AbortSignal): Promise<undefined> {
    return this.#worker.ask('changeLibrary', { name, change, nowMs: this.#now() }, signal)
  }

  /** The same of a group, and of all libraries that are for it. LIMIT_EXCEEDED. */
  changeGroup(name: string, change: MemberChange, signal?: AbortSignal): Promise<undefined> {
    return this.#worker.ask('changeGroup', { name, change, nowMs: this.#now() }, signal)
  }

  /** Signs the access list of a library again when it is a day old; whether it was. */
  renewAccess(library: OwnLibrary, signal?: AbortSignal): Promise<boolean> {
    return this.#worker.ask('renewAccess', { library, nowMs: this.#now() }, signal)
  }

  #ours(reader: DatabaseReader, libraryId: string): HavingLibrary | undefined {
    const own = readOwnLibrary(reader, this.#writer, libraryIdOf(this.#writer, nameOfOwn(libraryId)))
    return own && { writer: this.#writer, name: own.name, access: own.access }
  }

  #isOurs({ writer }: HavingLibrary): boolean {
    return bytesEqual(writer, this.#writer)
  }

  #now(): number {
    return this.#modules.clock.now()
  }
}

/** What is known of a copy, by its name here. */
function theirs(reader: DatabaseReader, libraryId: string): HavingLibrary | undefined {
  const row = readFollowed(reader, idOfCopy(libraryId))
  if (row === undefined) return undefined
  const { writer, name, isClosed, head } = row
  const access = isClosed ? 'closed' : 'public'
  return { writer, name, access, ...(head === undefined ? {} : { expires: head.expires }) }
}
