/**
 * What people call a library: `PEERID/NAME`, a library of the node with that peer id, or `PEERID` alone for its home. Peer ids have
 * capitals and names have none, so where it is clear which node is meant a name alone does too. Between nodes a library goes by its id,
 * which follows from both.
 */
import { CatalogError } from '../../base/index.ts'
import { LIBRARY_NAME_RULE } from '../../config/index.ts'
import { HOME_LIBRARY, isLibraryName } from '../../library/index.ts'
import { libraryIdOf } from '../../sync/index.ts'
import { writerOf } from './writer-key.ts'

export interface LibraryAddress {
  /** Peer id of the node whose library it is. */
  readonly writer: string
  /** Its name there. */
  readonly name: string
}

/** Reads `PEERID` or `PEERID/NAME`, and `NAME` alone as a library of `peer` where that is given. INVALID_ARGUMENT. */
export function parseAddress(text: string, peer?: string): LibraryAddress {
  if (peer !== undefined && isLibraryName(text)) return { writer: peer, name: text }
  const slash = text.indexOf('/')
  const [writer, name] = slash < 0 ? [text, HOME_LIBRARY] : [text.slice(0, slash), text.slice(slash + 1)]
  writerOf(writer)
  if (isLibraryName(name)) return { writer, name }
  throw new CatalogError('INVALID_ARGUMENT', `'${name}' is not the name of a library`, {
    hint: LIBRARY_NAME_RULE
  })
}

export const formatAddress = ({ writer, name }: LibraryAddress): string =>
  name === HOME_LIBRARY ? writer : `${writer}/${name}`

/** By which nodes know the library. INVALID_ARGUMENT when `writer` is not the peer id of a node. */
export const idOfAddress = ({ writer, name }: LibraryAddress): Uint8Array =>
  libraryIdOf(writerOf(writer), name)
