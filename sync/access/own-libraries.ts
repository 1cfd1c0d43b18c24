/** The libraries of this node: `home` and `private`, which are always there, and those that its operator has made, one row each (docs/disk-format.md). */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import {
  ACCESS_CLASSES,
  type AccessClass,
  type DatabaseReader,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  ownLibrary,
  PRIVATE_LIBRARY,
  type WriteOperation
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { libraryIdOf } from '../heads/index.ts'

/** Whom a library is for. */
export type Access = 'public' | AccessClass

export interface OwnLibrary {
  /** What this node calls it to others. */
  readonly name: string
  /** Its name in the keys of the database. */
  readonly libraryId: string
  /** By which others know it. */
  readonly id: Uint8Array
  readonly access: Access
  /** Of `friends`: whose nodes it is for. */
  readonly group?: string
}

const ROW_VERSION = 1
/** Their numbers in rows. */
const CLASSES: readonly Access[] = ['public', ...ACCESS_CLASSES]
const FIXED_BYTES = 3

const keyOf = (id: Uint8Array): Uint8Array => makeKey(KeyFamily.OwnLibrary, id)
const deletedKey = (id: Uint8Array): Uint8Array => makeKey(KeyFamily.DeletedLibrary, id)

export const putOwnLibrary = (library: OwnLibrary): WriteOperation => ({
  type: 'put',
  key: keyOf(library.id),
  value: encodeRow(library)
})

/** The writes after which a library is not here any more, and remembered until nothing is left of it. */
export const deleteOwnLibrary = (library: OwnLibrary): WriteOperation[] => [
  { type: 'del', key: keyOf(library.id) },
  { type: 'put', key: deletedKey(library.id), value: encodeRow(library) }
]

export const forgetDeleted = (id: Uint8Array): WriteOperation => ({ type: 'del', key: deletedKey(id) })

/** Libraries that were deleted and of which something is left. Throws CONTENT_CORRUPT. */
export async function* readDeleted(reader: DatabaseReader, signal?: AbortSignal): AsyncGenerator<OwnLibrary> {
  const prefix = makeKey(KeyFamily.DeletedLibrary)
  for await (const [key, stored] of reader.iterate({ prefix }, signal))
    yield decodeRow(key.slice(prefix.byteLength), stored)
}

/** Whether something of a library is left that was deleted. */
export const isBeingDeleted = (reader: DatabaseReader, id: Uint8Array): boolean =>
  reader.get(deletedKey(id)) !== undefined

function encodeRow({ name, access, group = '' }: OwnLibrary): Uint8Array {
  const fixed = Uint8Array.of(ROW_VERSION, CLASSES.indexOf(access), Buffer.byteLength(name))
  return Buffer.concat([fixed, Buffer.from(name), Buffer.from(group)])
}

/** The library of this node that others know by an id; undefined when it has none. Throws CONTENT_CORRUPT. */
export function readOwnLibrary(
  reader: DatabaseReader,
  writer: Uint8Array,
  id: Uint8Array
): OwnLibrary | undefined {
  const built = builtIn(writer).find(library => bytesEqual(library.id, id))
  if (built !== undefined) return built
  const value = reader.get(keyOf(id))
  return value === undefined ? undefined : decodeRow(id, value)
}

/** The library of this node that it calls so. NOT_FOUND, CONTENT_CORRUPT. */
export function expectOwnLibrary(reader: DatabaseReader, writer: Uint8Array, name: string): OwnLibrary {
  const library = readOwnLibrary(reader, writer, libraryIdOf(writer, name))
  if (library !== undefined) return library
  throw new CatalogError('NOT_FOUND', `this node has no library ${name}`, {
    hint: '`catalog library list` shows those that are here'
  })
}

/** All that can be read, as long as one cannot: it hides no other. */
export async function* readOwnReadable(
  reader: DatabaseReader,
  writer: Uint8Array
): AsyncGenerator<OwnLibrary> {
  yield* builtIn(writer)
  for await (const { id, stored } of iterateRows(reader))
    try {
      yield decodeRow(id, stored)
    } catch (err) {
      if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
    }
}

/** All of them: the two that are always there, then the others by id. */
export async function* readOwnLibraries(
  reader: DatabaseReader,
  writer: Uint8Array,
  signal?: AbortSignal
): AsyncGenerator<OwnLibrary> {
  yield* builtIn(writer)
  for await (const { id, stored } of iterateRows(reader, signal)) yield decodeRow(id, stored)
}

async function* iterateRows(
  reader: DatabaseReader,
  signal?: AbortSignal
): AsyncGenerator<{ id: Uint8Array; stored: Uint8Array }> {
  const prefix = makeKey(KeyFamily.OwnLibrary)
  for await (const [key, stored] of reader.iterate({ prefix }, signal))
    yield { id: key.slice(prefix.byteLength), stored }
}

function builtIn(writer: Uint8Array): OwnLibrary[] {
  const named = (name: string, access: Access): OwnLibrary => ({
    name,
    libraryId: name,
    id: libraryIdOf(writer, name),
    access
  })
  return [named(HOME_LIBRARY, 'public'), named(PRIVATE_LIBRARY, 'private')]
}

function decodeRow(id: Uint8Array, stored: Uint8Array): OwnLibrary {
  const bytes = Buffer.from(stored)
  const access = CLASSES[bytes[1] ?? CLASSES.length]
  const nameEnd = FIXED_BYTES + (bytes[2] ?? 0)
  if (bytes[0] !== ROW_VERSION || access === undefined || bytes.byteLength < nameEnd)
    throw new CatalogError('CONTENT_CORRUPT', 'what is known of a library of this node cannot be read')
  const name = bytes.toString('utf8', FIXED_BYTES, nameEnd)
  const group = bytes.toString('utf8', nameEnd)
  const library = { name, libraryId: ownLibrary(name, access !== 'public'), id: Uint8Array.from(id), access }
  return group === '' ? library : { ...library, group }
}
