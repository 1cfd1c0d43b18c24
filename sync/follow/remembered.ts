/**
 * What stays known of a followed library when its copy goes, so that nobody can show an earlier state as if it were new: the last head of its
 * writer (sync/heads), and of a closed one how new the last access list was. The head alone does not do: the node of a library that was
 * restored from a backup signs newer heads over an earlier list.
 */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { type DatabaseReader, KeyFamily, makeKey, type WriteOperation } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { headKey, readHead, readHeadKeys, type WriterOfLibrary } from '../heads/index.ts'
import { isFollowed } from './rows.ts'

const ROW_VERSION = 1
const ROW_BYTES = 1 + 8

const listKey = ({ library, writer }: WriterOfLibrary): Uint8Array =>
  makeKey(KeyFamily.ListTaken, library, writer)

/** `sequence`: of the newest access list that was taken of a library. */
export function putListTaken(of: WriterOfLibrary, sequence: number): WriteOperation {
  const value = Buffer.alloc(ROW_BYTES)
  value.writeUInt8(ROW_VERSION)
  value.writeBigUInt64BE(BigInt(sequence), 1)
  return { type: 'put', key: listKey(of), value }
}

/** 0 when none was. Throws CONTENT_CORRUPT. */
export function readListTaken(reader: DatabaseReader, of: WriterOfLibrary): number {
  const stored = reader.get(listKey(of))
  if (stored === undefined) return 0
  if (stored[0] !== ROW_VERSION || stored.byteLength !== ROW_BYTES)
    throw new CatalogError('CONTENT_CORRUPT', 'what is known of the access list of a library cannot be read')
  return Number(Buffer.from(stored).readBigUInt64BE(1))
}

/** Plans to know nothing more of libraries that are not here, but for `limit` of them: the earliest heads go. `own`: public key of this node. */
export async function planOblivion(
  reader: DatabaseReader,
  { own, limit }: { own: Uint8Array; limit: number }
): Promise<WriteOperation[]> {
  const gone: WriterOfLibrary[] = []
  for await (const of of readHeadKeys(reader))
    if (!bytesEqual(of.writer, own) && !isFollowed(reader, of.library)) gone.push(of)
  if (gone.length <= limit) return []
  const dated = gone.map(of => ({ of, timeMs: timeOf(reader, of) }))
  const earliest = dated.sort((one, other) => one.timeMs - other.timeMs).slice(0, gone.length - limit)
  return earliest.flatMap(({ of }) => [headKey(of.library, of.writer), listKey(of)].map(del))
}

const del = (key: Uint8Array): WriteOperation => ({ type: 'del', key })

/** One that cannot be read is of no use to anybody. */
function timeOf(reader: DatabaseReader, { library, writer }: WriterOfLibrary): number {
  try {
    return readHead(reader, library, writer)?.time ?? 0
  } catch (thrown) {
    if (toCatalogError(thrown).code !== 'CONTENT_CORRUPT') throw thrown
    return 0
  }
}
