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

/** Words of one signer about one release that are read where it is asked for: what it weighs, it weighs with one. */
const MAX_WORDS_READ = 16

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

/**
 * The same, verified, and what `signers` attest, even where so many others come before them that they are none of the first: anybody may
 * choose a key that does.
 */
export async function readStatements(
  reader: DatabaseReader,
  release: Uint8Array,
  signers: readonly Uint8Array[],
  signal?: AbortSignal
): Promise<StatementRecord[]> {
  const places = await statementPlaces(reader, release, MAX_ATTESTATIONS_READ, signal)
  // With fewer than this there are no others.
  if (places.length >= MAX_ATTESTATIONS_READ)
    for (const signer of signers) places.push(...(await placesOf(reader, release, signer, signal)))
  const recHashes = new Map(places.map(({ recHash }) => [Buffer.from(recHash).toString('latin1'), recHash]))
  return [...recHashes.values()].flatMap(recHash => readStatementAt(reader, recHash) ?? [])
}

/** Where the attestations of one signer about a release stand. */
async function placesOf(
  reader: DatabaseReader,
  release: Uint8Array,
  signer: Uint8Array,
  signal?: AbortSignal
): Promise<StoredPlace[]> {
  const range = { prefix: attestationPrefix(release, signer), limit: MAX_WORDS_READ }
  const places: StoredPlace[] = []
  for await (const [key, recHash] of reader.iterate(range, signal)) places.push({ recHash, indexKey: key })
  return places
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
