/**
 * The durable mark of a content whose every block was verified and stored: key and value of the `f/` family.
 */
import { decode, encode } from '@ipld/dag-cbor'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { ContentSummary } from './types.ts'

/** `f/` + the bytes of the content's CID. */
export function completeKey(contentBytes: Uint8Array): Uint8Array {
  return makeKey(KeyFamily.Complete, contentBytes)
}

/** DAG-CBOR of {files, sizeBytes}. */
export function completeMark(summary: ContentSummary): Uint8Array {
  return encode({ files: summary.files, sizeBytes: summary.sizeBytes })
}

/** Undefined for bytes that `completeMark` does not write: such a mark is damage, and counts as none. */
export function decodeCompleteMark(value: Uint8Array): ContentSummary | undefined {
  try {
    const { files, sizeBytes, ...rest } = decode<Record<string, unknown>>(value)
    if (!isCount(files) || !isCount(sizeBytes) || Object.keys(rest).length > 0) return undefined
    return { files, sizeBytes }
  } catch {
    return undefined
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
