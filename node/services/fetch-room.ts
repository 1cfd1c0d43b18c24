/**
 * Room in the store for a fetch. What a content shares with others is not known before it is fetched, and most of a new version
 * is in the one before it. So where that one is here it is kept from going, and room is made for a part; when that does not do,
 * for everything, and the older one may go for it; so it is with a content that is gone on with. Otherwise each update would drive out as much as all of it takes, and
 * first of all what it shares most with.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, MIB } from '../../base/index.ts'
import type { ContentStore, IndexEntry, Registry, ReleaseRecord } from '../../library/index.ts'
import type { Collecting } from './collecting.ts'
import { releaseName } from './release-shapes.ts'
import type { Room, Wanted } from './rooms.ts'
import type { WorkContext } from './types.ts'

/** Part of a new version that is new, as a rule: 7 % of a TypeScript, 46 % of a JDK. */
const NEW_SHARE = 0.25
/** What counted as here and went with the stages that found no room: those that fill, are written and fail, of 8 MiB each. */
const MAX_LOST_BYTES = 32 * MIB

export interface FetchRoomModules {
  registry: Pick<Registry, 'entries'>
  content: Pick<ContentStore, 'localState' | 'summary' | 'hold'>
  collecting: Pick<Collecting, 'makeRoom' | 'expect'>
}

/** Fetches when there is room; `fetch` tells how many bytes of the content are here by now. Twice at most. */
export async function withRoom<T>(
  { registry, content, collecting }: FetchRoomModules,
  record: ReleaseRecord,
  context: WorkContext,
  fetch: (filled: (bytes: number) => void) => Promise<T>
): Promise<T> {
  const { release } = record
  const { sizeBytes } = release
  const wanted = { key: release.content.toString(), sizeBytes, what: releaseName(record) }
  let doneBytes = 0
  const within = async (room: Room): Promise<T> => {
    try {
      return await fetch(bytes => {
        doneBytes = Math.max(doneBytes, bytes)
        room.filled(bytes)
      })
    } finally {
      room.end()
    }
  }
  const hopeful = await hopefulRoom({ registry, content, collecting }, record, wanted, context)
  if (hopeful !== undefined)
    try {
      return await within(await hopeful.room())
    } catch (thrown) {
      if (!(thrown instanceof CatalogError) || thrown.code !== 'QUOTA_EXCEEDED') throw thrown
    } finally {
      hopeful.end()
    }
  const restBytes = Math.min(sizeBytes, sizeBytes - doneBytes + MAX_LOST_BYTES)
  return await within(await collecting.makeRoom({ ...wanted, sizeBytes: restBytes }, context))
}

/** Less room than all of a content takes, where less may do; `end` lets go of what is kept for that. */
async function hopefulRoom(
  { registry, content, collecting }: FetchRoomModules,
  { release }: ReleaseRecord,
  wanted: Wanted,
  context: WorkContext
): Promise<{ room(): Promise<Room>; end(): void } | undefined> {
  // It is gone on with: what is missing its progress says.
  if (content.localState(release.content) !== 'none')
    return { room: async () => collecting.expect(wanted), end: () => {} }
  const older = await lastHeld(registry, content, release, context.signal)
  const letGo = older && held(content, older.content)
  if (older === undefined || letGo === undefined) return undefined
  const { sizeBytes } = release
  const newBytes = Math.max(Math.ceil(NEW_SHARE * sizeBytes), sizeBytes - older.sizeBytes)
  return { room: () => collecting.makeRoom({ ...wanted, sizeBytes: newBytes }, context), end: letGo }
}

/** Keeps a content from going; undefined when it is just going. */
function held(content: Pick<ContentStore, 'hold'>, cid: CID): (() => void) | undefined {
  try {
    return content.hold(cid)
  } catch {
    return undefined
  }
}

/** What the owner published last under the same name, of what is whole here. */
async function lastHeld(
  registry: Pick<Registry, 'entries'>,
  content: Pick<ContentStore, 'summary'>,
  { name, owner }: ReleaseRecord['release'],
  signal: AbortSignal
): Promise<{ content: CID; sizeBytes: number } | undefined> {
  let last: { entry: IndexEntry; sizeBytes: number } | undefined
  for await (const entry of registry.entries({ name }, signal)) {
    if (Buffer.compare(entry.owner, owner) !== 0 || entry.sequence < (last?.entry.sequence ?? 0)) continue
    const summary = content.summary(entry.content)
    if (summary !== undefined) last = { entry, sizeBytes: summary.sizeBytes }
  }
  return last && { content: last.entry.content, sizeBytes: last.sizeBytes }
}
