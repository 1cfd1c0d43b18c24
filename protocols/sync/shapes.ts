import { varint } from 'multiformats'
import { CatalogError } from '../../base/index.ts'
import { MAX_GROUPS, MAX_LIST, MAX_STEP } from './limits.ts'

/**
 * The shape of a group of a descent: `step` digits further down stand its subtrees, or it is a list of records (`step` 0).
 * `size` is the number of its fingerprints.
 */
export interface GroupShape {
  readonly step: number
  readonly size: number
}

/** Numbers below are steps; a list of n is n above. */
const LIST_FROM = MAX_STEP + 1
/** A list of 8,192 takes two bytes. */
const MAX_SHAPE_BYTES = 2

/** Subtrees that stand `digits` further down: a node of the trie has 16 children. */
export const subtreesBelow = (digits: number): number => 16 ** digits

export const listShape = (size: number): GroupShape => ({ step: 0, size })
export const stepShape = (step: number): GroupShape => ({ step, size: subtreesBelow(step) })

/** One varint for each group. */
export function encodeShapes(shapes: readonly GroupShape[]): Uint8Array {
  const bytes = new Uint8Array(shapes.length * MAX_SHAPE_BYTES)
  let length = 0
  for (const { step, size } of shapes) {
    const number = step > 0 ? step : LIST_FROM + size
    varint.encodeTo(number, bytes, length)
    length += varint.encodingLength(number)
  }
  return bytes.slice(0, length)
}

/** Throws PROTOCOL_VIOLATION for more groups or longer lists than there may be. */
export function decodeShapes(bytes: Uint8Array): GroupShape[] {
  const shapes: GroupShape[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    if (shapes.length === MAX_GROUPS) throw refused(`more than ${MAX_GROUPS} groups`)
    const [number, length] = readVarint(bytes, at)
    if (number === 0 || number > LIST_FROM + MAX_LIST) throw refused(`a group of shape ${number}`)
    shapes.push(number < LIST_FROM ? stepShape(number) : listShape(number - LIST_FROM))
    at += length
  }
  return shapes
}

function readVarint(bytes: Uint8Array, at: number): [number, number] {
  try {
    return varint.decode(bytes.subarray(0, at + MAX_SHAPE_BYTES), at)
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'sync descend: a shape that is no varint', { cause })
  }
}

function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `sync descend: ${what}`)
}
