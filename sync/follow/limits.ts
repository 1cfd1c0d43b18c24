import { CatalogError, MIB } from '../../base/index.ts'
import type { FollowOptions } from './types.ts'

export interface FollowLimits {
  /** Changes of a copy that are committed at once; what is more is made in a second copy (docs/sync.md). */
  readonly batchChanges: number
  /** And bytes of their records: they wait in memory until the session has ended well. */
  readonly batchBytes: number
  /** Changes that a dry run counts: it keeps 64 bytes and some nodes of each. */
  readonly dryChanges: number
  /** Records of a set up to which comparing the whole tries costs so little that nobody counts it. */
  readonly freeComparison: number
  /** Libraries that are not here any more of which it stays known how new they were: as many as can be followed, some 400 bytes each. */
  readonly remembered: number
}

export const FOLLOW_LIMITS: FollowLimits = {
  batchChanges: 10_000,
  batchBytes: 16 * MIB,
  dryChanges: 131_072,
  freeComparison: 4096,
  remembered: 1024
}

/** LIMIT_EXCEEDED for a library of more than is followed. */
export function expectWithin(
  { records, sizeBytes }: { records: number; sizeBytes: number },
  { maxRecords, maxBytes }: Pick<FollowOptions, 'maxRecords' | 'maxBytes'>
): void {
  if (records > maxRecords)
    throw new CatalogError('LIMIT_EXCEEDED', `the library has more than ${maxRecords} records`, {
      hint: 'raise sync.maxRecords to follow it'
    })
  if (sizeBytes > maxBytes)
    throw new CatalogError('LIMIT_EXCEEDED', `the records of the library have more than ${maxBytes} bytes`, {
      hint: 'raise sync.maxBytes to follow it'
    })
}

/** Bytes of frames that are handed to a stream at once. */
export const MAX_PART_BYTES = MIB
/** Sessions of all peers at once, both ways: a snapshot, and up to 40 MB where one is large. */
export const MAX_SESSIONS = 24
