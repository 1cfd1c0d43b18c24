import { check, decodeCanonical } from '../../library/index.ts'
import { MAX_HEAD_BYTES } from '../../protocols/index.ts'
import type { HeadStatement } from '../../sync/index.ts'

/** What a head says, whoever signed it or did not: for heads that were verified before, and to see whose one is said to be. */
export interface SaidHead extends HeadStatement {
  readonly writer: Uint8Array
  readonly bytes: Uint8Array
}

/** Undefined for bytes that no head can be. */
export function sayingOf(bytes: Uint8Array): SaidHead | undefined {
  if (bytes.byteLength > MAX_HEAD_BYTES) return undefined
  try {
    const map = decodeCanonical(bytes)
    const isHead = check.isMap(map) && map.writer instanceof Uint8Array && map.library instanceof Uint8Array
    return isHead ? { ...(map as unknown as SaidHead), bytes } : undefined
  } catch {
    return undefined
  }
}
