import { domainPrefix, sha256 } from '../../trust/index.ts'

const PREFIX = domainPrefix('library')

/**
 * The id by which others know a library of a node: SHA-256(`catalog/library/1\0` || public key of the node || its name there). Who
 * does not know the node learns nothing from it.
 */
export const libraryIdOf = (writer: Uint8Array, name: string): Uint8Array =>
  sha256(PREFIX, writer, Buffer.from(name))
