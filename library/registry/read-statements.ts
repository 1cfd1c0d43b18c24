/**
 * Reading what is said of releases. Statements stand once under the hash of their bytes, like every record; two indexes lead there from
 * the key of the release: its one status, and its attestations by signer and word.
 */
import { attestationKey, attestationPrefix, statusKey } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import {
  decodeVerifiedStatement,
  type ReleaseIdentity,
  releaseKey,
  releaseOf,
  type StatementRecord,
  type StatusRecord
} from '../records/index.ts'
import { readRecordBytes } from './read.ts'
import type { StoredPlace } from './record-rows.ts'

/** Attestations of one release that are read, and so told to peers: who has more readers than this is trusted by nobody here. */
export const MAX_ATTESTATIONS_READ = 16

/** Where the index has a statement. */
export function indexKeyOf(statement: StatementRecord): Uint8Array {
  const release = releaseKey(releaseOf(statement))
  return statement.kind === 'status'
    ? statusKey(release)
    : attestationKey(release, statement.signer, statement.attestation.statement)
}

/** The statement of a hash; undefined when it is not here. Throws CONTENT_CORRUPT when the bytes on disk have changed. */
export function readStatementAt(reader: DatabaseReader, recHash: Uint8Array): StatementRecord | undefined {
  const bytes = readRecordBytes(reader, recHash)
  return bytes === undefined ? undefined : decodeVerifiedStatement(bytes)
}

/** The owner's last word on a release. */
export function readStatus(reader: DatabaseReader, release: ReleaseIdentity): StatusRecord | undefined {
  const recHash = reader.get(statusKey(releaseKey(release)))
  const statement = recHash === undefined ? undefined : readStatementAt(reader, recHash)
  return statement?.kind === 'status' ? statement : undefined
}

/** Signed bytes of the status and of attestations of a release, by its key; not decoded. */
export async function readStatementBytes(
  reader: DatabaseReader,
  release: Uint8Array,
  signal?: AbortSignal
): Promise<Uint8Array[]> {
  const places = await statementPlaces(reader, release, MAX_ATTESTATIONS_READ, signal)
  return places.flatMap(({ recHash }) => readRecordBytes(reader, recHash) ?? [])
}

/** Where all statements about a release stand. */
export async function statementPlaces(
  reader: DatabaseReader,
  release: Uint8Array,
  maxAttestations?: number,
  signal?: AbortSignal
): Promise<StoredPlace[]> {
  const places: StoredPlace[] = []
  const indexKey = statusKey(release)
  const status = reader.get(indexKey)
  if (status !== undefined) places.push({ recHash: status, indexKey })
  const range = {
    prefix: attestationPrefix(release),
    ...(maxAttestations === undefined ? {} : { limit: maxAttestations })
  }
  for await (const [key, recHash] of reader.iterate(range, signal)) places.push({ recHash, indexKey: key })
  return places
}
