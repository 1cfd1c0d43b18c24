/** Which libraries a record is in. */
import { membershipKey, membershipPrefix } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { isFollowedLibrary } from './library-names.ts'

export const isMember = (reader: DatabaseReader, libraryId: string, recHash: Uint8Array): boolean =>
  reader.get(membershipKey(recHash, libraryId)) !== undefined

/** The names here of the libraries that have a record. */
export async function librariesOf(reader: DatabaseReader, recHash: Uint8Array): Promise<string[]> {
  const prefix = membershipPrefix(recHash)
  const libraries: string[] = []
  for await (const [key] of reader.iterate({ prefix }))
    libraries.push(Buffer.from(key.subarray(prefix.byteLength)).toString('utf8'))
  return libraries
}

/** Those of them that are this node's own. */
export async function ownLibrariesOf(reader: DatabaseReader, recHash: Uint8Array): Promise<string[]> {
  return (await librariesOf(reader, recHash)).filter(libraryId => !isFollowedLibrary(libraryId))
}
