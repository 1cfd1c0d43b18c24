/** Groups of nodes, which libraries are made for: a node that joins or leaves one joins or leaves the audience of them all. */
import { CatalogError } from '../../base/index.ts'
import { type DatabaseReader, KeyFamily, makeKey, type WriteOperation } from '../../library/index.ts'
import { PUBLIC_KEY_BYTES } from '../../trust/index.ts'

export interface Group {
  readonly name: string
  /** Public keys of nodes, in ascending order. */
  readonly members: readonly Uint8Array[]
}

const ROW_VERSION = 1

const keyOf = (name: string): Uint8Array => makeKey(KeyFamily.Group, Buffer.from(name))

/** A group without members is one that is not there. */
export function putGroup({ name, members }: Group): WriteOperation {
  if (members.length === 0) return { type: 'del', key: keyOf(name) }
  return { type: 'put', key: keyOf(name), value: Buffer.concat([Uint8Array.of(ROW_VERSION), ...members]) }
}

/** Throws CONTENT_CORRUPT. */
export function readGroup(reader: DatabaseReader, name: string): Group {
  const value = reader.get(keyOf(name))
  return value === undefined ? { name, members: [] } : decodeRow(name, value)
}

/** By name. */
export async function* readGroups(reader: DatabaseReader, signal?: AbortSignal): AsyncGenerator<Group> {
  const prefix = makeKey(KeyFamily.Group)
  for await (const [key, value] of reader.iterate({ prefix }, signal))
    yield decodeRow(Buffer.from(key.subarray(prefix.byteLength)).toString('utf8'), value)
}

function decodeRow(name: string, value: Uint8Array): Group {
  const keys = value.subarray(1)
  if (value[0] !== ROW_VERSION || keys.byteLength % PUBLIC_KEY_BYTES !== 0)
    throw new CatalogError('CONTENT_CORRUPT', `what is known of the group ${name} cannot be read`)
  const count = keys.byteLength / PUBLIC_KEY_BYTES
  const members = Array.from({ length: count }, (_, at) =>
    Uint8Array.from(keys.subarray(at * PUBLIC_KEY_BYTES, (at + 1) * PUBLIC_KEY_BYTES))
  )
  return { name, members }
}
