/**
 * Which contents are kept: rows `u/` and `p/` of the database. A content has a row `u/` from the moment it is
 * complete until it is let go of, also while damage has cost it its mark `f/`: that row is what protects its blocks from
 * collection. A pin is a row of its own for each release, so that two releases with one content are pinned and unpinned
 * apart.
 */
import { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { decodeU64, encodeU64, KeyFamily, makeKey, nameIndexPrefix, parseRelease } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { completeKey, decodeCompleteMark } from './complete.ts'
import { type ContentPage, type ContentQuery, type HeldContent, MAX_PAGE_CONTENTS } from './content-store.ts'
import type { ContentSummary } from './types.ts'

/** Pins that a list tells of one content; whoever pins so many releases with the same bytes knows. */
const MAX_LISTED_PINS = 100

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

/** The summary of a content that is complete. */
export function readSummary(database: Pick<DatabaseReader, 'get'>, content: CID): ContentSummary | undefined {
  const mark = database.get(completeKey(content.bytes))
  return mark === undefined ? undefined : decodeCompleteMark(mark)
}

/** A page of what is kept, in the order of the rows. INVALID_ARGUMENT for a page of no size that there is. */
export async function listHeld(
  database: DatabaseReader,
  { limit, after, signal }: ContentQuery
): Promise<ContentPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_CONTENTS)
    throw new CatalogError('INVALID_ARGUMENT', `a page has 1 to ${MAX_PAGE_CONTENTS} contents, not ${limit}`)
  const prefix = makeKey(KeyFamily.Held)
  const from = after === undefined ? {} : { after: heldKey(after.bytes) }
  const contents: HeldContent[] = []
  for await (const [key, value] of database.iterate({ prefix, limit: limit + 1, ...from }, signal)) {
    if (contents.length === limit) return { contents, hasMore: true }
    const content = CID.decode(Uint8Array.from(key.subarray(prefix.byteLength)))
    const summary = readSummary(database, content)
    contents.push({ content, summary, usedMs: decodeHeld(value), pins: await pinsOf(database, content) })
  }
  return { contents, hasMore: false }
}

async function pinsOf(database: DatabaseReader, content: CID): Promise<PinnedRelease[]> {
  const prefix = pinPrefix(content.bytes)
  const pins: PinnedRelease[] = []
  for await (const [key] of database.iterate({ prefix, limit: MAX_LISTED_PINS })) {
    const release = parseRelease(key.subarray(prefix.byteLength))
    if (release !== undefined) pins.push({ ...release, owner: Uint8Array.from(release.owner) })
  }
  return pins
}
