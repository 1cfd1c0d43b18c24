/**
 * Union: records of followed libraries that join the home library of this node and stay there, whatever becomes of them where they came
 * from. Which ones is decided by what stands in the copy alone, so that several libraries may be joined in any order and as often as one
 * likes. Releases and statements about them join; other records say something of the library that they are in, and stay there.
 */
import { CatalogError } from '../../base/index.ts'
import {
  type CommitModules,
  Commits,
  type DatabaseReader,
  type DatabaseWriter,
  HOME_LIBRARY,
  isMember,
  isReleaseRecord,
  isStatementRecord,
  type JoinPlan,
  type MemberRecord,
  planJoin,
  type Release,
  type ReleaseIdentity,
  readableMember,
  releaseKey,
  releaseOf
} from '../../library/index.ts'
import {
  entryCount,
  entryHash,
  entryKey,
  findRecord,
  iterateEntries,
  openTree,
  type TreeView
} from '../trie/index.ts'
import type { SyncMethods } from '../types.ts'
import { copyName, readFollowed } from './rows.ts'

/** Records of one commit: others can write between two. */
export const MAX_JOINED = 2000
/** Records that are looked at for one page: some 10 ms. */
const PAGE_RECORDS = 256

/** Records of a copy that are to join home, some at a time. */
export interface JoiningPage {
  readonly recHashes: Uint8Array[]
  /** Goes into the next call; absent on the last page. */
  readonly next?: Uint8Array
}

export interface JoiningWish {
  readonly isMeant?: (release: Release) => boolean
  /** Whether nothing of a release joins, whatever is meant: it need not be in the copy for that. */
  readonly isRefused?: (release: ReleaseIdentity) => boolean
  readonly after?: Uint8Array
}

/**
 * Records of the copy of a library that `isMeant` chooses and home has not, behind the key `after`: a release that is meant, and what is said of
 * one; all of both without it. Nothing when the library is not followed. NOT_PERMITTED for one that is not public.
 */
export function joiningPage(
  reader: DatabaseReader,
  library: Uint8Array,
  { isMeant, isRefused, after }: JoiningWish
): JoiningPage {
  const libraryId = publicCopyOf(reader, library)
  const recHashes: Uint8Array[] = []
  if (libraryId === undefined) return { recHashes }
  const tree = openTree(reader, libraryId)
  let records = 0
  for (const entries of iterateEntries(tree, after === undefined ? {} : { after }))
    for (let at = 0; at < entryCount(entries); at++) {
      const recHash = Uint8Array.from(entryHash(entries, at))
      if (!isMember(reader, HOME_LIBRARY, recHash) && isChosen(reader, tree, recHash, { isMeant, isRefused }))
        recHashes.push(recHash)
      if (++records === PAGE_RECORDS) return { recHashes, next: Uint8Array.from(entryKey(entries, at)) }
    }
  return { recHashes }
}

function isChosen(
  reader: DatabaseReader,
  tree: TreeView,
  recHash: Uint8Array,
  { isMeant, isRefused }: Pick<JoiningWish, 'isMeant' | 'isRefused'>
): boolean {
  const record = readableMember(reader, recHash)
  if (record === undefined || !(isReleaseRecord(record) || isStatementRecord(record))) return false
  const about = isReleaseRecord(record) ? record.release : releaseOf(record)
  if (isRefused?.(about) === true) return false
  if (isMeant === undefined) return true
  const release = releaseIn(reader, tree, record)
  return release !== undefined && isMeant(release)
}

/** The release that a record is, or is about, as the same copy has it. */
function releaseIn(reader: DatabaseReader, tree: TreeView, record: MemberRecord): Release | undefined {
  if (isReleaseRecord(record)) return record.release
  if (!isStatementRecord(record)) return undefined
  const recHash = findRecord(tree, releaseKey(releaseOf(record)))
  const found = recHash && readableMember(reader, recHash)
  return found !== undefined && isReleaseRecord(found) ? found.release : undefined
}

/** Has records of copies join home, in the worker. */
export class Joins {
  readonly #database: DatabaseWriter
  readonly #commits: Commits

  constructor({ database, writes, companion }: { database: DatabaseWriter } & Omit<CommitModules, 'writer'>) {
    this.#database = database
    this.#commits = new Commits({ writer: database, writes, companion })
  }

  /** How many joined, or would; what has left the copy meanwhile does not. NOT_PERMITTED. */
  async join({ library, recHashes, isDryRun, nowMs }: SyncMethods['joinRecords'][0]): Promise<number> {
    if (recHashes.length > MAX_JOINED)
      throw new CatalogError('LIMIT_EXCEEDED', `${MAX_JOINED} records join at once at most`)
    const plan = (): Promise<JoinPlan> => this.#plan(library, recHashes, nowMs)
    return (isDryRun ? await plan() : await this.#commits.run(plan, nowMs)).joined
  }

  async #plan(library: Uint8Array, recHashes: readonly Uint8Array[], nowMs: number): Promise<JoinPlan> {
    const from = publicCopyOf(this.#database, library)
    if (from === undefined) return { operations: [], sets: [], joined: 0 }
    const present = recHashes.filter(recHash => isMember(this.#database, from, recHash))
    const tree = openTree(this.#database, from)
    const comesToo = (release: ReleaseIdentity): boolean =>
      findRecord(tree, releaseKey(release)) !== undefined
    return await planJoin(this.#database, { libraryId: HOME_LIBRARY, recHashes: present, comesToo }, nowMs)
  }
}

/** Name here of the copy of a library; undefined when there is none. */
function publicCopyOf(reader: DatabaseReader, library: Uint8Array): string | undefined {
  const row = readFollowed(reader, library)
  if (row === undefined || row.copy === 0) return undefined
  expectJoinable(row)
  return copyName(library, row.copy, row)
}

/** NOT_PERMITTED for what says of a library that it is not for everybody, such as a head. */
export function expectJoinable({ isClosed }: { readonly isClosed: boolean }): void {
  if (!isClosed) return
  throw new CatalogError(
    'NOT_PERMITTED',
    'what is in a library that is not for everybody does not join the home library',
    {
      hint: 'the home library is shown to everybody: follow the other one as a mirror'
    }
  )
}
