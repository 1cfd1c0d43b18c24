/**
 * Versions that stay taken when this node lets go of what it published: who has the first content and is given a second one of the same
 * version has proof that its owner signed two, and installs neither. A row for each release that was removed from a library of
 * this node, but for the private one: nobody has what was only there.
 */
import { CID } from 'multiformats/cid'
import { takenVersionKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import type { ReleaseIdentity } from '../records/index.ts'
import { put } from './record-rows.ts'

type Version = Pick<ReleaseIdentity, 'name' | 'version' | 'owner'>

/** Notes what goes with a release. */
export const takeVersion = (release: Version & Pick<ReleaseIdentity, 'content'>): WriteOperation =>
  put(takenVersionKey(release), release.content.bytes)

/** The content with which a library of this node had a version that it let go of. */
export function takenBy(reader: Pick<DatabaseReader, 'get'>, version: Version): CID | undefined {
  const content = reader.get(takenVersionKey(version))
  return content === undefined ? undefined : CID.decode(content)
}
