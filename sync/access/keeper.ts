/**
 * Making libraries and changing who may know of them, in the worker. An access list, the tree that it stands in and the head over both are
 * committed in one batch, durably, before anybody is told.
 */
import { CatalogError, DAY_MS, type Semaphore } from '../../base/index.ts'
import { LIBRARY_NAME_RULE } from '../../config/index.ts'
import {
  Commits,
  createAccessList,
  type DatabaseWriter,
  isLibraryName,
  isTimely,
  ownLibrary,
  planOwnRecord,
  planOwnState,
  RECORD_LIMITS,
  type SetCommit,
  type WorkerCompanion,
  type WriteOperation
} from '../../library/index.ts'
import { bytesEqual, type Signer } from '../../trust/index.ts'
import { libraryIdOf, readHead } from '../heads/index.ts'
import type { Audiences } from './audiences.ts'
import { putGroup, readGroup, readGroups } from './groups.ts'
import {
  type Access,
  expectOwnLibrary,
  type OwnLibrary,
  putOwnLibrary,
  readOwnLibraries,
  readOwnLibrary
} from './own-libraries.ts'

/** Libraries that one node has beside the two that are always there: each has its tree and its head, renewed every day. */
export const MAX_OWN_LIBRARIES = 256
/** Groups of one node. */
export const MAX_GROUPS = 256
/** A list is signed again when it is so old: who hears of it within the days that it still holds never shuts anybody out. */
const RENEW_AFTER_MS = DAY_MS
const SECRET_BYTES = 32

export interface NewLibrary {
  readonly name: string
  readonly access: Access
  /** Of `friends`. */
  readonly group?: string
  /** Public keys of nodes; for `private` and `restricted`. */
  readonly members: readonly Uint8Array[]
}

/** Nodes that join and leave, by their public keys. */
export interface MemberChange {
  readonly joining: readonly Uint8Array[]
  readonly leaving: readonly Uint8Array[]
}

export interface KeeperModules {
  database: DatabaseWriter
  writes: Semaphore
  companion: Pick<WorkerCompanion, 'follow' | 'find'>
  audiences: Audiences
  /** The node's key. */
  signer: Signer
  /** Unforeseeable bytes. */
  random(bytes: number): Uint8Array
}

interface Planned {
  operations: WriteOperation[]
  sets: SetCommit[]
}

export class LibraryKeeper {
  readonly #modules: KeeperModules
  readonly #commits: Commits

  constructor(modules: KeeperModules) {
    this.#modules = modules
    const { database, writes, companion } = modules
    this.#commits = new Commits({ writer: database, writes, companion })
  }

  /** INVALID_ARGUMENT, LIBRARY_EXISTS, LIMIT_EXCEEDED. */
  async create({ name, access, group, members }: NewLibrary, nowMs: number): Promise<undefined> {
    const { database, signer } = this.#modules
    if (!isLibraryName(name))
      throw new CatalogError('INVALID_ARGUMENT', `${name} is no name of a library`, {
        hint: LIBRARY_NAME_RULE
      })
    const id = libraryIdOf(signer.publicKey, name)
    const libraryId = ownLibrary(name, access !== 'public')
    const library = { name, libraryId, id, access, ...(group === undefined ? {} : { group }) }
    await this.#commits.run(async () => {
      await this.#expectRoom(library)
      this.#expectClass(library)
      const put = putOwnLibrary(library)
      if (access === 'public') {
        const { operation, set } = planOwnState(database, libraryId)
        return { operations: [put, operation], sets: [set] }
      }
      const named = changed([], { joining: members, leaving: [] })
      const planned = await this.#planMembers(
        library,
        group === undefined ? named : readGroup(database, group).members,
        nowMs
      )
      return { ...planned, operations: [put, ...planned.operations] }
    }, nowMs)
    return undefined
  }

  /** Changes whom a `private` or `restricted` library is for. NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  async change(name: string, change: MemberChange, nowMs: number): Promise<undefined> {
    const { database, signer, audiences } = this.#modules
    await this.#commits.run(async () => {
      const library = expectMembers(expectOwnLibrary(database, signer.publicKey, name))
      const before = audiences.read(database, library.libraryId)?.members ?? []
      return await this.#planMembers(library, changed(before, change), nowMs)
    }, nowMs)
    return undefined
  }

  /** Changes a group, and with it whom all libraries are for that are its. LIMIT_EXCEEDED. */
  async changeGroup(name: string, change: MemberChange, nowMs: number): Promise<undefined> {
    const { database, signer } = this.#modules
    await this.#commits.run(async () => {
      const before = readGroup(database, name).members
      const members = changed(before, change)
      if (before.length === 0) await this.#expectGroupRoom()
      const all: Planned = { operations: [putGroup({ name, members })], sets: [] }
      for await (const library of readOwnLibraries(database, signer.publicKey)) {
        if (library.group !== name) continue
        const { operations, sets } = await this.#planMembers(library, members, nowMs)
        all.operations.push(...operations)
        all.sets.push(...sets)
      }
      return all
    }, nowMs)
    return undefined
  }

  /** Signs the access list of a library again when it is a day old; false when that is not due. */
  async renew(library: OwnLibrary, nowMs: number): Promise<boolean> {
    const { database, audiences } = this.#modules
    const { operations } = await this.#commits.run(async () => {
      const list = audiences.read(database, library.libraryId)
      if (list === undefined || nowMs < list.sequence + RENEW_AFTER_MS) return { operations: [], sets: [] }
      this.#expectOfThisLife(library, nowMs)
      return await this.#planList(library, list, nowMs)
    }, nowMs)
    return operations.length > 0
  }

  /** Plans the list of these members, in ascending order; nothing when that is the one that is there. */
  async #planMembers(library: OwnLibrary, members: readonly Uint8Array[], nowMs: number): Promise<Planned> {
    const { database, audiences } = this.#modules
    const list = audiences.read(database, library.libraryId)
    const hasLeft = list?.members.some(key => !includes(members, key)) === true
    const isSame = list !== undefined && !hasLeft && members.length === list.members.length
    // One of an earlier life is signed anew, as its operator has looked at it, whatever it says.
    const isOfThisLife = list !== undefined && !audiences.isEarlier(database, library.libraryId, nowMs)
    if (isSame && isOfThisLife) return { operations: [], sets: [] }
    // Who has left knows the secret so far, and perhaps who had left in a life that was forgotten.
    const secret = isOfThisLife && !hasLeft ? list.secret : this.#newSecret()
    return await this.#planList(library, { members, secret }, nowMs)
  }

  #expectOfThisLife({ libraryId, name }: OwnLibrary, nowMs: number): void {
    const { database, audiences } = this.#modules
    if (!audiences.isEarlier(database, libraryId, nowMs)) return
    throw new CatalogError(
      'NOT_PERMITTED',
      `the access list of ${name} is from before this home was restored or copied`,
      {
        hint: 'look at who is on it with `catalog library show`, then sign it anew with `catalog library grant` or `revoke`'
      }
    )
  }

  async #planList(
    { libraryId, id, access, group }: OwnLibrary,
    { members, secret }: { members: readonly Uint8Array[]; secret: Uint8Array },
    nowMs: number
  ): Promise<Planned> {
    const { database, companion, audiences, signer } = this.#modules
    const last = audiences.read(database, libraryId)?.sequence ?? 0
    const epoch = readHead(database, id, signer.publicKey)?.epoch ?? 0
    // What a clock that was ahead has left would hold for nobody until then.
    const sequence = Math.max(nowMs, ...[last + 1, epoch + 1].filter(ms => isTimely(ms, nowMs)))
    const named = group === undefined ? {} : { group }
    const record = createAccessList({ library: id, access, ...named, members, secret, sequence }, signer)
    return await planOwnRecord(database, { libraryId, record, find: key => companion.find(libraryId, key) })
  }

  #newSecret(): Uint8Array {
    return Uint8Array.from(this.#modules.random(SECRET_BYTES))
  }

  async #expectRoom({ id, name }: OwnLibrary): Promise<void> {
    const { database, signer } = this.#modules
    if (readOwnLibrary(database, signer.publicKey, id) !== undefined)
      throw new CatalogError('LIBRARY_EXISTS', `this node has a library ${name} already`)
    const count = (await Array.fromAsync(readOwnLibraries(database, signer.publicKey))).length
    if (count >= MAX_OWN_LIBRARIES)
      throw new CatalogError('LIMIT_EXCEEDED', `a node has ${MAX_OWN_LIBRARIES} libraries at most`)
  }

  /** Who followed a library of that name before it was deleted takes no other kind of head for it. */
  #expectClass({ id, name, access }: OwnLibrary): void {
    const { database, signer } = this.#modules
    const last = readHead(database, id, signer.publicKey)
    if (last === undefined || last.isClosed === (access !== 'public')) return
    const was = last.isClosed ? 'not for everybody' : 'for everybody'
    throw new CatalogError('INVALID_ARGUMENT', `a library ${name} that was here before was ${was}`, {
      hint: 'a name stays of one class for good: choose another name'
    })
  }

  async #expectGroupRoom(): Promise<void> {
    if ((await Array.fromAsync(readGroups(this.#modules.database))).length < MAX_GROUPS) return
    throw new CatalogError('LIMIT_EXCEEDED', `a node has ${MAX_GROUPS} groups at most`)
  }
}

const includes = (keys: readonly Uint8Array[], key: Uint8Array): boolean =>
  keys.some(other => bytesEqual(other, key))

/** In ascending order, each once. */
function changed(before: readonly Uint8Array[], { joining, leaving }: MemberChange): Uint8Array[] {
  const all = new Map([...before, ...joining].map(key => [Buffer.from(key).toString('hex'), key]))
  for (const key of leaving) all.delete(Buffer.from(key).toString('hex'))
  if (all.size > RECORD_LIMITS.accessMembers)
    throw new CatalogError('LIMIT_EXCEEDED', `at most ${RECORD_LIMITS.accessMembers} nodes can be named`)
  return [...all.values()].sort(Buffer.compare)
}

/** The library, if it is one whose members are named one by one. */
function expectMembers(library: OwnLibrary): OwnLibrary {
  const { name, access, group } = library
  if (access === 'public')
    throw new CatalogError('INVALID_ARGUMENT', `the library ${name} is for everybody`, {
      hint: 'only a private or restricted library has a list of nodes; `catalog library list` shows which is what'
    })
  if (group !== undefined)
    throw new CatalogError('INVALID_ARGUMENT', `the library ${name} is for the group ${group}`, {
      hint: 'change the group with `catalog group`'
    })
  return library
}
