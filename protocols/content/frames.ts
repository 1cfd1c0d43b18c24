import { MAX_BLOCK_BYTES } from '../../library/index.ts'
import { declareMessage } from '../wire/message.ts'
import {
  MAX_ANSWER_HEADER_BYTES,
  MAX_MAP_BYTES,
  MAX_OPEN_BYTES,
  MAX_RANGE_MESSAGE_BYTES,
  MAX_RUNS
} from './limits.ts'
import * as generated from './messages.js'

export type { Answer, Block, Have, Open, Range, Run } from './messages.js'

/** Which blocks of a release a run names. */
export const Part = {
  /** Nodes and pages of the manifest's tree, by level and index. */
  Manifest: 0,
  /** The root blocks of files: entries `slot` to `slot + count - 1` of a page. Those without bytes have none. */
  Roots: 1,
  /** Below the root of the file at `slot`: nodes and chunks, by level and index. */
  File: 2
} as const
export type Part = (typeof Part)[keyof typeof Part]

const MAX_INDEX = 0xffffffff
const MIN_RECORD_BYTES = 36

export const openMessage = declareMessage('content open', generated.Open, {
  minBytes: MIN_RECORD_BYTES + 2,
  maxBytes: MAX_OPEN_BYTES
})

export const rangeMessage = declareMessage('content range', generated.Range, {
  minBytes: 4,
  maxBytes: MAX_RANGE_MESSAGE_BYTES,
  check: ({ id, runs, have }) => {
    if (id === 0) return 'id 0'
    if (have && runs.length > 0) return 'runs beside a question for the map'
    if (!have && runs.length === 0) return 'no runs'
    if (runs.length > MAX_RUNS) return 'too many runs'
    for (const { part, first, count } of runs) {
      if (part > Part.File) return `part ${part}`
      if (count === 0) return 'a run of nothing'
      if (first + count > MAX_INDEX) return 'a run beyond the last index'
    }
    return undefined
  }
})

export const answerMessage = declareMessage('content answer', generated.Answer, {
  minBytes: 0,
  maxBytes: MAX_ANSWER_HEADER_BYTES,
  check: ({ status, blocks, have }) => {
    if (status !== 0 && blocks.length > 0) return 'blocks beside a failure'
    if (have !== undefined && (status !== 0 || blocks.length > 0)) return 'a map beside something else'
    if (have !== undefined && have.units.byteLength > MAX_MAP_BYTES) return 'a map that is too long'
    for (const { codec, storedLength, rawLength } of blocks) {
      if (rawLength === 0 || rawLength > MAX_BLOCK_BYTES) return `a block of ${rawLength} bytes`
      // Stored bytes are never longer than raw ones: compression that gains nothing is not kept.
      if (storedLength === 0 || storedLength > rawLength) return `a block stored in ${storedLength} bytes`
      if (codec === 0 && storedLength !== rawLength) return 'a raw block whose lengths differ'
    }
    return undefined
  }
})
