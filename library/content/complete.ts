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

export function decodeCompleteMark(value: Uint8Array): ContentSummary {
  return decode(value)
}
