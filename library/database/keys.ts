/**
 * Every key family of the node's LevelDB, in one place so that two parts can never meet in one key. A key is the ASCII
 * bytes of its family, then the parts named beside it. docs/disk-format.md describes the values.
 */
export const KeyFamily = {
  /** Committed tail of the segments: the key is this byte alone. */
  Tail: 'T',
  /** `c/` + block id (32 bytes): where a block stands in the segments. */
  Block: 'c/',
  /** `f/` + content CID bytes: every block of this content was verified and stored. */
  Complete: 'f/'
} as const
export type KeyFamily = (typeof KeyFamily)[keyof typeof KeyFamily]

/** The key of a family: its ASCII prefix, then the parts joined. */
export function makeKey(family: string, ...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(family, 'latin1'), ...parts])
}

/** The smallest key after all keys with this prefix; undefined when the prefix is empty or all 0xff. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.byteLength
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = Uint8Array.from(prefix.subarray(0, length))
  end[length - 1]! += 1
  return end
}
