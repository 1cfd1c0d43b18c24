/**
 * Places in the trie. The digits of a key are the 64 half-bytes of its trieKey, the high one of a byte first. A path is the
 * digits that lead from the top to a node, as lower-case hex, the top itself being ''. So a path sorts as the keys below
 * it do, before its own children, and names a row of the database as it names a node in a message.
 */

/** Children of an interior node, one per digit. */
export const FAN_OUT = 16
/** Digits of a key: no path is longer. */
export const MAX_DEPTH = 64

export type Path = string

const DIGITS = '0123456789abcdef'

/** The digit of a key below `depth` others; `at` is where the key begins in `bytes`. */
export function digitAt(bytes: Uint8Array, depth: number, at = 0): number {
  const byte = bytes[at + (depth >> 1)]!
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

/** The first `depth` digits of a key. */
export const pathOf = (trieKey: Uint8Array, depth: number): Path =>
  Buffer.from(trieKey.buffer, trieKey.byteOffset, trieKey.byteLength).toString('hex').slice(0, depth)

export const childPath = (path: Path, digit: number): Path => path + DIGITS[digit]!

/** The digit that a path has at `depth`. */
export const pathDigit = (path: Path, depth: number): number => Number.parseInt(path[depth]!, 16)
