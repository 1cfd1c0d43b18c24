/**
 * The libraries of a simulated node: home, and the closed one that it has beside it, under the same name everywhere: so everybody knows its
 * id, as the worst case has it.
 */
import { LruCache } from '../../base/index.ts'
import { HOME_LIBRARY, ownLibrary } from '../../library/index.ts'
import { libraryIdOf } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'

export const TEAM = 'team'
/** Its name in the database of its node. */
export const TEAM_LIBRARY = ownLibrary(TEAM, true)

interface Ids {
  readonly home: Uint8Array
  readonly team: Uint8Array
}

/** By writer; asked for with every message. As many as the writers of a simulation, and those that are asked for and do not exist. */
const IDS = new LruCache<string, Ids>({ maxEntries: 4096 })

/** By which others know the libraries of a writer. */
function idsOf(writer: Uint8Array): Ids {
  const key = Buffer.from(writer.buffer, writer.byteOffset, writer.byteLength).toString('latin1')
  const known = IDS.get(key)
  if (known !== undefined) return known
  const ids = { home: libraryIdOf(writer, HOME_LIBRARY), team: libraryIdOf(writer, TEAM) }
  IDS.set(key, ids)
  return ids
}

export const homeIdOf = (writer: Uint8Array): Uint8Array => idsOf(writer).home
export const teamIdOf = (writer: Uint8Array): Uint8Array => idsOf(writer).team

/** Whether a library is the home of a writer. */
export const isHome = (library: Uint8Array, writer: Uint8Array): boolean =>
  bytesEqual(library, homeIdOf(writer))
