/**
 * What a bundle consists of. A bundle is one file that carries releases of a library to where no network reaches, and can be checked
 * with nothing but itself (docs/sync.md, "Bundles"):
 *
 *   magic                      `catalog-bundle/1` and a line feed
 *   frames: kind u8, length u32 big-endian, body
 *     7 name                   of the library at its node, unless that is home; before the head
 *     1 head                   signed by the writer of the library; once, before what follows
 *     2 record, any number     length u32 of the record, the record, a proof that it is in the set of the head
 *     3 content, any number    CID of a content of one of these releases; then its blocks, and a 5
 *     4 block                  id (32), codec u8, raw length u32, bytes at rest
 *     5 whole                  empty: all blocks of the content were there
 *     6 end                    SHA-256 of everything before these 32 bytes; last
 */
import { BLOCK_ID_BYTES, MAX_BLOCK_BYTES, RECORD_LIMITS } from '../../library/index.ts'
import { MAX_HEAD_BYTES } from '../../protocols/index.ts'
import { HASH_BYTES, MAX_PROOF_BYTES } from '../trie/index.ts'

export const BUNDLE_MAGIC = Buffer.from('catalog-bundle/1\n')
export const BUNDLE_TYPE = 'application/x-catalog-bundle'
/** More are no selection any more, and their proofs alone would be hundreds of megabytes: those are for `catalog sync`. */
export const MAX_BUNDLE_RECORDS = 131_072

/** One frame of a bundle without its head and end. */
export type BundlePart =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'head'; readonly head: Uint8Array }
  | { readonly kind: 'record'; readonly record: Uint8Array; readonly proof: Uint8Array }
  | { readonly kind: 'content'; readonly content: Uint8Array }
  | {
      readonly kind: 'block'
      readonly id: Uint8Array
      readonly codec: number
      readonly rawLengthBytes: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'whole' }

export type BundleKind = BundlePart['kind'] | 'end'

export const KIND_BYTES: Readonly<Record<BundleKind, number>> = {
  head: 1,
  record: 2,
  content: 3,
  block: 4,
  whole: 5,
  end: 6,
  name: 7
}

/** Kind and length. */
export const FRAME_HEAD_BYTES = 5
export const RECORD_LENGTH_BYTES = 4
/** Id, codec and raw length before the bytes of a block. */
export const BLOCK_HEAD_BYTES = BLOCK_ID_BYTES + 1 + 4
/** A CIDv1 of a SHA-256 has 36. */
const MAX_CID_BYTES = 64
/** The longest name that a library has. */
const MAX_NAME_BYTES = 64

/** Bytes of a frame's body, checked before it is read. */
export const MAX_BODY_BYTES: Readonly<Record<BundleKind, number>> = {
  head: MAX_HEAD_BYTES,
  record: RECORD_LENGTH_BYTES + RECORD_LIMITS.recordBytes + MAX_PROOF_BYTES,
  content: MAX_CID_BYTES,
  block: BLOCK_HEAD_BYTES + MAX_BLOCK_BYTES,
  whole: 0,
  end: HASH_BYTES,
  name: MAX_NAME_BYTES
}
