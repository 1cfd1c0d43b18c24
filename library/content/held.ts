/**
 * Which contents are kept: rows `u/` and `p/` of the database. A content has a row `u/` from the moment it is
 * complete until it is let go of, also while damage has cost it its mark `f/`: that row is what protects its blocks from
 * collection. A pin is a row of its own for each release, so that two releases with one content are pinned and unpinned
 * apart.
 */
import { decodeU64, encodeU64, KeyFamily, makeKey, nameIndexPrefix } from '../database/keys.ts'

/** `u/` + content CID. */
export const heldKey = (content: Uint8Array): Uint8Array => makeKey(KeyFamily.Held, content)

/** When the content was last used, ms since the epoch. */
export const encodeHeld = (usedMs: number): Uint8Array => encodeU64(usedMs)

/** Never used, for bytes that `encodeHeld` does not write. */
export const decodeHeld = (value: Uint8Array): number => (value.byteLength === 8 ? decodeU64(value) : 0)

/** All pins of a content. */
export const pinPrefix = (content: Uint8Array): Uint8Array => makeKey(KeyFamily.ContentPin, content)

/** A release, as a pin names it: its record may be replaced by a newer one. */
export interface PinnedRelease {
  name: string
  version: string
  owner: Uint8Array
}

/** `p/` + content CID, then name 0 version 0 owner as in the name index. */
export function pinKey(content: Uint8Array, { name, version, owner }: PinnedRelease): Uint8Array {
  const release = nameIndexPrefix(name, version, owner).subarray(KeyFamily.NameIndex.length)
  return makeKey(KeyFamily.ContentPin, content, release)
}
