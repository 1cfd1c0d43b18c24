/**
 * What a backup consists of: one file with the whole state of a home as of one moment, which can be checked with nothing but itself
 * (docs/disk-format.md, "Backups"):
 *
 *   magic                      `catalog-backup/1` and a line feed
 *   parts: kind u8, length u32 big-endian, body, SHA-256 of these three
 *     1 state                  what this is a backup of, as JSON; once
 *     2 file, any number       length of the name u8, name, bytes; names rising
 *     3 rows, any number       of the database: length of the key u16, of the value u32, key, value; keys rising over all of them
 *     4 away, any number       segments that only the bucket has: number u32, size u32; rising
 *     5 piece, any number      of a segment: its number u32, offset u32, bytes; segments rising, each from 0 on without a gap
 *     6 end                    SHA-256 of everything before this part; last
 *
 * Numbers are big-endian. Nothing in a file says where it goes but the names of `file`, of which there are few.
 */
import * as Type from 'typebox'
import { KIB, MIB } from '../../base/index.ts'

export const BACKUP_MAGIC = Buffer.from('catalog-backup/1\n')
export const BACKUP_TYPE = 'application/x-catalog-backup'
export const DIGEST_BYTES = 32
/** Kind and length. */
export const PART_HEAD_BYTES = 5
/** Length of the key and of the value. */
export const ROW_HEAD_BYTES = 6
/** Number and offset, or number and size. */
export const SEGMENT_HEAD_BYTES = 8
/** No segment is longer (library/content/record.ts). */
export const MAX_SEGMENT_BYTES = 64 * MIB
/** A home has at most so many keys, and the few other files. */
export const MAX_FILES = 1100
/** The longest row is that of what was served lately, 590 KB. */
const MAX_ROWS_BYTES = 4 * MIB
/** Rows and pieces are about so long; both sides hold one. */
export const PART_BYTES = MIB

/** What this is a backup of. */
export const BackupState = Type.Object(
  {
    /** The number in FORMAT. */
    homeFormat: Type.Integer({ minimum: 1, maximum: 999_999 }),
    /** Of the program that made it. */
    version: Type.String({ maxLength: 64 }),
    /** RFC 3339. */
    createdAt: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
    /** Of the node; empty where it is not known. */
    peerId: Type.String({ maxLength: 128 }),
    /** Whether the keys are inside. */
    hasKeys: Type.Boolean(),
    /** Of the segments inside. */
    segments: Type.Integer({ minimum: 0 }),
    segmentBytes: Type.Integer({ minimum: 0 })
  },
  { additionalProperties: false }
)
export type BackupState = Type.Static<typeof BackupState>

export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface AwaySegment {
  readonly segment: number
  readonly sizeBytes: number
}

/** One part of a backup without its head and end. */
export type BackupPart =
  | { readonly kind: 'state'; readonly state: BackupState }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'away'; readonly segments: readonly AwaySegment[] }
  | {
      readonly kind: 'piece'
      readonly segment: number
      readonly offsetBytes: number
      readonly bytes: Uint8Array
    }

export type BackupKind = BackupPart['kind'] | 'end'

export const KIND_BYTES: Readonly<Record<BackupKind, number>> = {
  state: 1,
  file: 2,
  rows: 3,
  away: 4,
  piece: 5,
  end: 6
}

/** Bytes of a part's body, checked before it is read. */
export const MAX_BODY_BYTES: Readonly<Record<BackupKind, number>> = {
  state: 4 * KIB,
  file: MIB,
  rows: MAX_ROWS_BYTES,
  away: PART_BYTES,
  piece: SEGMENT_HEAD_BYTES + PART_BYTES,
  end: DIGEST_BYTES
}

/** Files of a home that a backup may hold; nothing else is written by a restore. */
const FILE_NAME =
  /^(config\.toml|node\.key|keyring\/(DEFAULT|[a-z0-9][a-z0-9._-]{0,63}\.key)|segments\/owner)$/

export const isBackupFile = (name: string): boolean => FILE_NAME.test(name)

/** Whether a file is a key, or says which is the default one. */
export const isKeyFile = (name: string): boolean => name === 'node.key' || name.startsWith('keyring/')
