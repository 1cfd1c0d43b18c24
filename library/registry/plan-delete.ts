/** Taking away a library of this node, some records at a time. */
import { pinKey } from '../content/held.ts'
import { announcementKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { isPublicLibrary } from './library-names.ts'
import { isReleaseRecord } from './member.ts'
import { librariesOf } from './membership.ts'
import { planRetire, readableMember } from './plan-followed.ts'
import { isPublished } from './plan-remove.ts'
import { del } from './record-rows.ts'
import { takeVersion } from './taken.ts'

/** As from a copy that is let go of; and names under which no other public library of this node has a release are announced no more. */
export async function planDelete(
  reader: DatabaseReader,
  libraryId: string,
  recHashes: readonly Uint8Array[]
): Promise<WriteOperation[]> {
  const operations = await planRetire(reader, libraryId, recHashes)
  const names = new Set<string>()
  for (const recHash of recHashes) {
    const record = readableMember(reader, recHash)
    if (record === undefined || !isReleaseRecord(record)) continue
    names.add(record.release.name)
    operations.push(takeVersion(record.release))
  }
  if (!isPublicLibrary(libraryId)) return operations
  for (const name of names)
    if (!(await isPublished(reader, name, { libraryId }))) operations.push(del(announcementKey(name)))
  return operations
}

/** The first release among records that would be forgotten with a closed library although it is pinned, as `name@version`. */
export async function pinnedOnlyIn(
  reader: DatabaseReader,
  libraryId: string,
  recHashes: readonly Uint8Array[]
): Promise<string | undefined> {
  if (isPublicLibrary(libraryId)) return undefined
  for (const recHash of recHashes) {
    const record = readableMember(reader, recHash)
    if (record === undefined || !isReleaseRecord(record)) continue
    const { name, version, content } = record.release
    if (reader.get(pinKey(content.bytes, record.release)) === undefined) continue
    if ((await librariesOf(reader, recHash)).every(other => other === libraryId)) return `${name}@${version}`
  }
  return undefined
}
