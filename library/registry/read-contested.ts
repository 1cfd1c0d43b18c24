import { setImmediate as nextTurn } from 'node:timers/promises'
import { bytesEqual } from '../../trust/index.ts'
import {
  KeyFamily,
  makeKey,
  type NameIndexKey,
  nameIndexPrefix,
  parseNameIndexKey,
  prefixEnd
} from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { corrupt } from './read.ts'
import type { ContestedPage } from './types.ts'

/** Index entries that one page looks through: a tenth of a second. A page may so have fewer names than it could, and a next. */
const MAX_SCANNED_ENTRIES = 100_000
/** Of them before the event loop gets its turn: less than a millisecond. */
const ENTRIES_PER_TURN = 256

/**
 * Names that several owners publish, or of which one owner signed two contents as one version, in the order of the index; no record is read.
 * The cursor is the last name that was looked at.
 */
export async function readContested(
  reader: DatabaseReader,
  { limit, after }: { limit: number; after?: string },
  signal?: AbortSignal
): Promise<ContestedPage> {
  const prefix = makeKey(KeyFamily.NameIndex)
  const behind = after === undefined ? undefined : prefixEnd(nameIndexPrefix(after))
  const names: string[] = []
  /** First entry of the name that is looked at, and the entry before. */
  let first: NameIndexKey | undefined
  let last: NameIndexKey | undefined
  let scanned = 0
  for await (const [key] of reader.iterate(
    { prefix, ...(behind === undefined ? {} : { after: behind }) },
    signal
  )) {
    if (++scanned % ENTRIES_PER_TURN === 0) await nextTurn()
    const entry = parseNameIndexKey(key)
    if (entry === undefined) throw corrupt('a key of the name index cannot be read')
    if (entry.name !== first?.name) {
      // Only between two names, so that none is cut in half.
      if (last !== undefined && (names.length >= limit || scanned > MAX_SCANNED_ENTRIES))
        return { names, next: last.name }
      first = entry
    } else if (names.at(-1) !== entry.name && contradicts(entry, first, last!)) names.push(entry.name)
    last = entry
  }
  return { names }
}

/** Entries of a name come by version and owner, so a second content of one version stands right behind the first. */
const contradicts = (entry: NameIndexKey, first: NameIndexKey, last: NameIndexKey): boolean =>
  !bytesEqual(entry.owner, first.owner) || entry.version === last.version
