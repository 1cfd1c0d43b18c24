import { RECORD_LIMITS } from '../../library/index.ts'
import { declareMessage } from '../wire/message.ts'
import {
  FINGERPRINT_BYTES,
  LIBRARY_ID_BYTES,
  MAX_ABORT_BYTES,
  MAX_HEAD_BYTES,
  MAX_HELLO_BYTES,
  MAX_LIST,
  MAX_RANGE_DEPTH,
  MAX_SET_RECORDS,
  MAX_SYNC_FRAME_BYTES,
  MAX_TOLD_CHANGES,
  NONCE_BYTES,
  ROOT_BYTES,
  SKETCH_CELL_BYTES,
  TRIE_KEY_BYTES,
  WANT_KEY_BYTES
} from './limits.ts'
import * as generated from './messages.js'
import { decodeShapes, subtreesBelow } from './shapes.ts'

export const headMessage = declareMessage('sync head', generated.Head, {
  minBytes: LIBRARY_ID_BYTES + 5,
  maxBytes: MAX_HEAD_BYTES + LIBRARY_ID_BYTES + 16,
  check: ({ library, head }) =>
    libraryProblem(library) ??
    (head.byteLength === 0 || head.byteLength > MAX_HEAD_BYTES
      ? `a head of ${head.byteLength} bytes`
      : undefined)
})

export const syncHelloMessage = declareMessage('sync hello', generated.Hello, {
  minBytes: LIBRARY_ID_BYTES + ROOT_BYTES + NONCE_BYTES,
  maxBytes: MAX_HELLO_BYTES,
  check: ({ library, root, records, revision, nonce, cells, epoch }) => {
    if (!Number.isSafeInteger(revision)) return `revision ${revision}`
    if (epoch !== undefined && (epoch === 0 || !Number.isSafeInteger(epoch))) return `epoch ${epoch}`
    if (nonce.byteLength !== NONCE_BYTES) return `a nonce of ${nonce.byteLength} bytes`
    return libraryProblem(library) ?? rootProblem(root) ?? setProblem(records) ?? cellsProblem(cells)
  }
})

export const sketchMessage = declareMessage('sync sketch', generated.Sketch, {
  minBytes: SKETCH_CELL_BYTES,
  maxBytes: MAX_SYNC_FRAME_BYTES,
  check: ({ records, cells }) =>
    setProblem(records) ?? (cells.byteLength === 0 ? 'no cells' : cellsProblem(cells))
})

export const descendMessage = declareMessage('sync descend', generated.Descend, {
  minBytes: 0,
  maxBytes: MAX_SYNC_FRAME_BYTES,
  check: ({ opening, shapes, fingerprints }) => {
    const size = decodeShapes(shapes).reduce((sum, shape) => sum + shape.size, 0)
    if (fingerprints.byteLength !== size * FINGERPRINT_BYTES)
      return `${fingerprints.byteLength} bytes for ${size} fingerprints`
    return opening === undefined ? undefined : openingProblem(opening)
  }
})

export const wantMessage = declareMessage('sync want', generated.Want, {
  minBytes: 0,
  maxBytes: MAX_LIST * WANT_KEY_BYTES + 32,
  check: ({ keys, unresolved }) => {
    if (keys.byteLength % WANT_KEY_BYTES !== 0 || keys.byteLength > MAX_LIST * WANT_KEY_BYTES)
      return `keys of ${keys.byteLength} bytes`
    return setProblem(unresolved)
  }
})

export const recordsMessage = declareMessage('sync records', generated.Records, {
  minBytes: 3,
  maxBytes: MAX_SYNC_FRAME_BYTES,
  check: ({ records }) => {
    // Records are bounded by what was asked for; of frames without any there could be as many as a peer likes.
    if (records.length === 0) return 'no records'
    const bad = records.find(({ byteLength }) => byteLength === 0 || byteLength > RECORD_LIMITS.recordBytes)
    return bad === undefined ? undefined : `a record of ${bad.byteLength} bytes`
  }
})

export const finMessage = declareMessage('sync fin', generated.Fin, {
  minBytes: ROOT_BYTES + 2,
  maxBytes: ROOT_BYTES + 16,
  check: ({ root }) => rootProblem(root)
})

export const changesMessage = declareMessage('sync changes', generated.Changes, {
  minBytes: ROOT_BYTES + 2,
  maxBytes: ROOT_BYTES + MAX_TOLD_CHANGES * TRIE_KEY_BYTES + 16,
  check: ({ root, gone }) =>
    rootProblem(root) ??
    (gone.byteLength % TRIE_KEY_BYTES === 0 && gone.byteLength <= MAX_TOLD_CHANGES * TRIE_KEY_BYTES
      ? undefined
      : `keys of ${gone.byteLength} bytes`)
})

export const abortMessage = declareMessage('sync abort', generated.Abort, {
  minBytes: 2,
  maxBytes: MAX_ABORT_BYTES,
  check: ({ status }) => (status === 0 ? 'status 0' : undefined)
})

const libraryProblem = ({ byteLength }: Uint8Array): string | undefined =>
  byteLength === LIBRARY_ID_BYTES ? undefined : `a library of ${byteLength} bytes`

const rootProblem = ({ byteLength }: Uint8Array): string | undefined =>
  byteLength === ROOT_BYTES ? undefined : `a root of ${byteLength} bytes`

const setProblem = (records: number): string | undefined =>
  records > MAX_SET_RECORDS ? `${records} records` : undefined

const cellsProblem = ({ byteLength }: Uint8Array): string | undefined =>
  byteLength % SKETCH_CELL_BYTES === 0 ? undefined : `cells of ${byteLength} bytes`

function openingProblem({ nonce, records, depth, first, count }: generated.Opening): string | undefined {
  if (nonce.byteLength !== 0 && nonce.byteLength !== NONCE_BYTES)
    return `a nonce of ${nonce.byteLength} bytes`
  if (depth > MAX_RANGE_DEPTH) return `subtrees at depth ${depth}`
  if (count === 0 || first + count > subtreesBelow(depth)) return `${count} subtrees from ${first} on`
  return setProblem(records)
}
