/**
 * Which releases name contents. The name index is in the order of names, so it is gone through once for all contents that are asked
 * about.
 */
import { KeyFamily, makeKey, parseNameIndexKey } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { contentBytesOf, readIndexEntry } from './read.ts'
import type { IndexEntry } from './types.ts'

const keyOf = (content: Uint8Array): string => Buffer.from(content).toString('latin1')

/** `onRow` is awaited for each row of the index, so that others have their turn. A row that cannot be read names nothing. */
export async function* entriesNaming(
  reader: DatabaseReader,
  contents: readonly Uint8Array[],
  { onRow, signal }: { onRow?: () => Promise<void>; signal?: AbortSignal } = {}
): AsyncGenerator<IndexEntry> {
  if (contents.length === 0) return
  const wanted = new Set(contents.map(keyOf))
  for await (const [key, value] of reader.iterate({ prefix: makeKey(KeyFamily.NameIndex) }, signal)) {
    await onRow?.()
    if (wanted.has(keyOf(contentBytesOf(value))) && parseNameIndexKey(key) !== undefined)
      yield readIndexEntry(key, value)
  }
}
