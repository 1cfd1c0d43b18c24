/**
 * The names that libraries have here, as they stand in the keys of the database. A name says by itself whose library it is and whether
 * anybody may know of it, so that no record is shown before that is looked at:
 *
 *   home                       what this node publishes for everybody
 *   private                    what nobody else ever sees
 *   public/NAME, closed/NAME   others of this node; a closed one is shown only to those on its access list
 *   followed/ID/N, followed-closed/ID/N   copy N of the library of another node that others know by ID
 *
 * A copy is an exact replica, so no record joins or leaves it but as its writer has it. Where a record is a member of copies only, and
 * a newer one is known for its key, it stays stored for their sake and is found under its name no more.
 */
import { LIBRARY_NAME_PATTERN } from '../../config/index.ts'

export const HOME_LIBRARY = 'home'
export const PRIVATE_LIBRARY = 'private'

const PUBLIC = 'public/'
const CLOSED = 'closed/'
const FOLLOWED = 'followed/'
const FOLLOWED_CLOSED = 'followed-closed/'

const NAME_FORM = new RegExp(`^${LIBRARY_NAME_PATTERN}$`)

/** Whether a library, or a group of nodes, can be called so; `home` and `private` are there already. */
export const isLibraryName = (name: string): boolean => NAME_FORM.test(name)

/** The name here of a library of this node, which it calls `name` to others. */
export function ownLibrary(name: string, isClosed: boolean): string {
  if (name === HOME_LIBRARY || name === PRIVATE_LIBRARY) return name
  return `${isClosed ? CLOSED : PUBLIC}${name}`
}

/** What this node calls a library of its own to others. */
export const nameOfOwn = (libraryId: string): string => libraryId.slice(libraryId.indexOf('/') + 1)

/** The name here of a copy of a library, which others know by `id` (32 bytes); each copy of one has a number of its own. */
export const followedLibrary = (id: Uint8Array, copy: number, isClosed: boolean): string =>
  `${isClosed ? FOLLOWED_CLOSED : FOLLOWED}${Buffer.from(id).toString('hex')}/${copy}`

/** By what others know the library that a copy is of. */
export const idOfCopy = (libraryId: string): Uint8Array =>
  Uint8Array.from(Buffer.from(libraryId.split('/')[1] ?? '', 'hex'))

export const isFollowedLibrary = (libraryId: string): boolean =>
  libraryId.startsWith(FOLLOWED) || libraryId.startsWith(FOLLOWED_CLOSED)

/** Whether anybody may know what is in a library. */
export const isPublicLibrary = (libraryId: string): boolean =>
  libraryId === HOME_LIBRARY || libraryId.startsWith(PUBLIC) || libraryId.startsWith(FOLLOWED)
