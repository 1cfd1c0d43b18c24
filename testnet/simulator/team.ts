/** The closed library that a simulated node has beside home, under the same name everywhere: so everybody knows its id, as the worst case has it. */
import { HOME_LIBRARY, ownLibrary } from '../../library/index.ts'
import { libraryIdOf } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'

export const TEAM = 'team'
/** Its name in the database of its node. */
export const TEAM_LIBRARY = ownLibrary(TEAM, true)

/** By which others know it. */
export const teamIdOf = (writer: Uint8Array): Uint8Array => libraryIdOf(writer, TEAM)

/** Whether a library is the home of a writer. */
export const isHome = (library: Uint8Array, writer: Uint8Array): boolean =>
  bytesEqual(library, libraryIdOf(writer, HOME_LIBRARY))
