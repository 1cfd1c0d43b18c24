import {
  check,
  decodeCanonical,
  decodeRecord,
  decodeVerifiedMember,
  decodeVerifiedRelease,
  decodeVerifiedStatement,
  KeyFamily,
  type ReleaseRecord,
  recordHash,
  type StatementRecord,
  supersedes,
  trieKey
} from '../../library/index.ts'
import type { SketchedRecord } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'

/** A record, and where it stands in a set. */
export interface SetRecord extends SketchedRecord {
  readonly record: ReleaseRecord | StatementRecord
  /** Its trieKey in hex: one text for all the nodes that remember it. */
  readonly key: string
}

export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** Of the key of a record's row. */
const RECORD_PREFIX = hex(Buffer.from(KeyFamily.Record))

/** For people. */
export function nameOf({ record }: SetRecord): string {
  if (record.kind === 'release') return `${record.release.name}@${record.release.version}`
  if (record.kind === 'status') return `${record.status.state} ${record.status.name}@${record.status.version}`
  return `${record.attestation.statement} ${record.attestation.name}@${record.attestation.version}`
}

/** Whether `a` takes the place of `b`, of the same key. */
export const replaces = (a: SetRecord, b: SetRecord): boolean => supersedes(a.record, b.record)

/** Reads a record without looking at its signature. Throws RECORD_INVALID, RECORD_TOO_LARGE, UNSUPPORTED. */
export function readRecord(bytes: Uint8Array): SetRecord {
  const envelope = decodeCanonical(bytes)
  const isRelease = check.isMap(envelope) && envelope.kind === 'release'
  const record = isRelease ? decodeVerifiedRelease(bytes) : decodeVerifiedStatement(bytes)
  const key = trieKey(record)
  return { record, trieKey: key, recHash: recordHash(bytes), key: hex(key) }
}

/**
 * Verifies records, each once: fifty nodes that get the same bytes would come to the same result fifty times. What was refused is not
 * kept.
 */
export class Verifier {
  readonly #verified = new Map<string, SetRecord>()

  /** Different ones that were verified. */
  get size(): number {
    return this.#verified.size
  }

  /** A verified record as it is known, another as it reads. */
  read(bytes: Uint8Array): SetRecord {
    return this.#verified.get(hex(recordHash(bytes))) ?? readRecord(bytes)
  }

  /** Where a record of any kind stands. */
  keyOf(bytes: Uint8Array): Uint8Array {
    return this.#verified.get(hex(recordHash(bytes)))?.trieKey ?? trieKey(decodeVerifiedMember(bytes))
  }

  /** One that was verified, by its recHash. */
  find(recHash: Uint8Array): SetRecord | undefined {
    return this.#verified.get(hex(recHash))
  }

  /** What a row has as bytes that do not change: of a record that was verified the very ones that everybody has. */
  keep(key: Uint8Array, value: Uint8Array): Uint8Array {
    const prefixBytes = KeyFamily.Record.length
    const isRecord = hex(key.subarray(0, prefixBytes)) === RECORD_PREFIX
    const known = isRecord ? this.find(key.subarray(prefixBytes))?.record.bytes : undefined
    return known !== undefined && bytesEqual(known, value) ? known : Uint8Array.from(value)
  }

  /** Throws SIGNATURE_INVALID. */
  verify(record: SetRecord): void {
    if (this.knows(record.recHash)) return
    decodeRecord(record.record.bytes)
    this.#verified.set(hex(record.recHash), record)
  }

  /** Whether these very bytes, by their recHash, were found good. */
  knows(recHash: Uint8Array): boolean {
    return this.#verified.has(hex(recHash))
  }
}
