/** The libraries of this node and whom they are for, as its operator makes and changes them, by peer ids. */
import { CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import { LIBRARY_NAME_RULE } from '../../config/index.ts'
import { isLibraryName, PRIVATE_LIBRARY, type Registry } from '../../library/index.ts'
import { copyName, type LibrarySets, type OwnLibrary, type SetState } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type {
  DeletedLibrary,
  GroupShape,
  KnownLibraryShape,
  LibraryList,
  OwnLibraryShape
} from '../library-schemas.ts'
import type { Collecting } from './collecting.ts'
import { followedHere } from './followed-here.ts'
import { formatAddress } from './library-address.ts'
import type { LibraryAnnouncing } from './library-announcing.ts'
import { expiryOf, followedShape, ownShape } from './library-shapes.ts'
import type { AudienceChange, LibraryService, NewLibraryRequest } from './types.ts'
import { peerOf, writerOf } from './writer-key.ts'

export interface LibrariesModules {
  sets: Pick<LibrarySets, 'access' | 'state' | 'followed'>
  registry: Pick<Registry, 'count'>
  logger: Logger
  /** Told when something may be freed. */
  collecting: Pick<Collecting, 'changed'>
  /** Told of each library that is made or deleted. */
  announcing: Pick<LibraryAnnouncing, 'changed'>
  /** Told when somebody may have left an audience, whose open streams are to end, or joined one, who is to be told of it. */
  onAudienceChanged(): Promise<void>
}

export interface LibrariesOptions {
  /** Public key of this node. */
  writer: Uint8Array
}

export class Libraries implements LibraryService {
  readonly #modules: LibrariesModules
  readonly #writer: Uint8Array

  constructor(modules: LibrariesModules, { writer }: LibrariesOptions) {
    this.#modules = modules
    this.#writer = writer
  }

  async list(signal: AbortSignal): Promise<LibraryList> {
    const { access } = this.#modules.sets
    const own: OwnLibraryShape[] = []
    for (const library of await access.own(signal)) own.push(await this.#shapeOf(library))
    return { own, followed: await this.#followed(signal) }
  }

  async show(name: string): Promise<OwnLibraryShape> {
    return await this.#shapeOf(await this.#modules.sets.access.ownNamed(name))
  }

  async create(request: NewLibraryRequest, signal: AbortSignal): Promise<OwnLibraryShape> {
    expectSense(request)
    const { access } = this.#modules.sets
    const { members = [], ...library } = request
    await access.create({ ...library, members: this.#keysOf(members) }, signal)
    this.#modules.announcing.changed()
    await this.#modules.onAudienceChanged()
    this.#modules.logger.info({ library: library.name, access: library.access }, 'a library was made')
    return await this.show(library.name)
  }

  async delete(name: string, signal: AbortSignal): Promise<DeletedLibrary> {
    const { sets, registry, announcing, collecting, onAudienceChanged, logger } = this.#modules
    const library = await sets.access.ownNamed(name)
    const releases = registry.count(library.libraryId)
    await sets.access.delete(name, signal)
    announcing.changed()
    collecting.changed()
    logger.info({ library: name, releases }, 'a library was deleted')
    await onAudienceChanged()
    return { name, address: formatAddress({ writer: peerOf(this.#writer), name }), releases }
  }

  async changeMembers(name: string, change: AudienceChange, signal: AbortSignal): Promise<OwnLibraryShape> {
    const { access } = this.#modules.sets
    const library = await access.ownNamed(name)
    if (library.libraryId === PRIVATE_LIBRARY)
      throw new CatalogError('INVALID_ARGUMENT', `the library ${PRIVATE_LIBRARY} is never shown to anybody`, {
        hint: 'make one for your other nodes: catalog library create NAME --access private'
      })
    const { joining, leaving } = this.#keysOfChange(change)
    const list = await access.accessOf(library.libraryId)
    // Of a library without members of its own the answer says that; of another one, who is not on the list was mistaken for somebody who is.
    if (list !== undefined && library.group === undefined)
      expectAmong(leaving, list.members, `the access list of ${name}`)
    await access.changeMembers(name, { joining, leaving }, signal)
    await this.#audienceChanged({ library: name }, change)
    return await this.#shapeOf(library)
  }

  async groups(signal: AbortSignal): Promise<GroupShape[]> {
    const { access } = this.#modules.sets
    const own = await access.own(signal)
    const known = new Map((await access.groups(signal)).map(group => [group.name, group.members]))
    // One that a library is for and nobody is in yet is worth seeing too.
    for (const { group } of own) if (group !== undefined && !known.has(group)) known.set(group, [])
    return [...known]
      .map(([name, members]) => groupShape(name, members, own))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async changeGroup(name: string, change: AudienceChange, signal: AbortSignal): Promise<GroupShape> {
    const { access } = this.#modules.sets
    expectGroupName(name)
    const keys = this.#keysOfChange(change)
    expectAmong(keys.leaving, await this.#membersOf(name, signal), `the group ${name}`)
    await access.changeGroup(name, keys, signal)
    await this.#audienceChanged({ group: name }, change)
    return groupShape(name, await this.#membersOf(name, signal), await access.own(signal))
  }

  async #membersOf(group: string, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const groups = await this.#modules.sets.access.groups(signal)
    return groups.find(({ name }) => name === group)?.members ?? []
  }

  /** When this resolves, nobody who was shut out reads on. */
  async #audienceChanged(
    of: { library: string } | { group: string },
    { joining = [], leaving = [] }: AudienceChange
  ): Promise<void> {
    const { onAudienceChanged, logger } = this.#modules
    logger.info({ ...of, joining, leaving }, 'an audience was changed')
    await onAudienceChanged()
  }

  #keysOfChange({ joining = [], leaving = [] }: AudienceChange): Record<'joining' | 'leaving', Uint8Array[]> {
    if (joining.length + leaving.length === 0)
      throw new CatalogError('INVALID_ARGUMENT', 'name the nodes that join or leave by their peer ids')
    return { joining: this.#keysOf(joining), leaving: this.#keysOf(leaving) }
  }

  #keysOf(peers: readonly string[]): Uint8Array[] {
    const keys = peers.map(writerOf)
    if (keys.some(key => bytesEqual(key, this.#writer)))
      throw new CatalogError('INVALID_ARGUMENT', 'this node has its libraries without being named', {
        hint: 'name the others: `catalog id` on their nodes prints the peer id'
      })
    return keys
  }

  async #shapeOf(library: OwnLibrary): Promise<OwnLibraryShape> {
    const { sets, registry } = this.#modules
    const { libraryId } = library
    return ownShape(library, {
      writer: peerOf(this.#writer),
      releases: registry.count(libraryId),
      set: await this.#stateOf(libraryId),
      list: library.access === 'public' ? undefined : await sets.access.accessOf(libraryId)
    })
  }

  /** One damaged tree hides no other library; `catalog verify --all` says what is wrong with it. */
  async #stateOf(libraryId: string): Promise<SetState | undefined> {
    try {
      return await this.#modules.sets.state(libraryId)
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (code !== 'TREE_DAMAGED' && code !== 'CONTENT_CORRUPT') throw thrown
      return undefined
    }
  }

  async #followed(signal: AbortSignal): Promise<KnownLibraryShape[]> {
    const { sets } = this.#modules
    const shapes: KnownLibraryShape[] = []
    for (const one of await followedHere(this.#modules, signal)) {
      const { library, row } = one
      const isListed = row.isClosed && row.copy !== 0
      const list = isListed ? await sets.access.accessOf(copyName(library, row.copy, row)) : undefined
      const isAdmitted = await sets.access.admits(library, this.#writer)
      shapes.push({ ...followedShape(one), isAdmitted, listExpires: expiryOf(list) })
    }
    return shapes
  }
}

/** Nothing is accepted that would have no effect, and nobody is let in or left out by a slip. */
function expectSense({ access, group, members = [] }: NewLibraryRequest): void {
  if (access === 'friends') {
    if (group === undefined)
      throw new CatalogError('INVALID_ARGUMENT', 'a library for friends is for a group', {
        hint: 'name it: --group GROUP'
      })
    expectGroupName(group)
  } else if (group !== undefined)
    throw new CatalogError('INVALID_ARGUMENT', `a ${access} library is for no group`, {
      hint: 'give --access friends with --group'
    })
  if (members.length > 0 && (access === 'public' || access === 'friends'))
    throw new CatalogError('INVALID_ARGUMENT', `a library with the access ${access} names no members`, {
      hint:
        access === 'public'
          ? 'give --access restricted to name who may know of it'
          : 'put them into the group: catalog group add GROUP PEERID'
    })
}

function expectGroupName(name: string): void {
  if (isLibraryName(name)) return
  throw new CatalogError('INVALID_ARGUMENT', `'${name}' is not the name of a group`, {
    hint: LIBRARY_NAME_RULE
  })
}

/** Who was meant to be shut out and is not there is somebody else, who would stay. NOT_FOUND. */
function expectAmong(leaving: readonly Uint8Array[], members: readonly Uint8Array[], what: string): void {
  const missing = leaving.filter(key => !members.some(member => bytesEqual(member, key)))
  if (missing.length === 0) return
  throw new CatalogError(
    'NOT_FOUND',
    `${missing.map(peerOf).join(', ')} not in ${what}: nothing was changed`,
    {
      hint: '`catalog library list` and `catalog group list` show who is'
    }
  )
}

const groupShape = (
  name: string,
  members: readonly Uint8Array[],
  own: readonly OwnLibrary[]
): GroupShape => ({
  name,
  members: members.map(peerOf),
  libraries: own.filter(({ group }) => group === name).map(library => library.name)
})
