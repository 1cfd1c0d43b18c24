import { check, decodeCanonical } from '../../library/index.ts'
import { MAX_HEAD_BYTES } from '../../protocols/index.ts'
import type { HeadStatement } from '../../sync/index.ts'
import { sha256 } from '../../trust/index.ts'
import { hex } from './records.ts'

/** What a head says, whoever signed it or did not: for heads that were verified before, and to see whose one is said to be. */
export interface SaidHead extends HeadStatement {
  readonly writer: Uint8Array
  readonly bytes: Uint8Array
}

const NAMES = new WeakMap<Uint8Array, string>()

/** Equal for equal bytes only. */
export function nameOfBytes(bytes: Uint8Array): string {
  const name = NAMES.get(bytes) ?? hex(sha256(bytes))
  NAMES.set(bytes, name)
  return name
}

/** What was read of heads that are somewhere still: bytes do not change here, and the same ones go to every node. */
const READ = new WeakMap<Uint8Array, SaidHead>()

/** Undefined for bytes that no head can be. */
export function sayingOf(bytes: Uint8Array): SaidHead | undefined {
  const known = READ.get(bytes)
  if (known !== undefined) return known
  const said = read(bytes)
  if (said !== undefined) READ.set(bytes, said)
  return said
}

function read(bytes: Uint8Array): SaidHead | undefined {
  if (bytes.byteLength > MAX_HEAD_BYTES) return undefined
  try {
    const map = decodeCanonical(bytes)
    const isHead = check.isMap(map) && map.writer instanceof Uint8Array && map.library instanceof Uint8Array
    return isHead ? { ...(map as unknown as SaidHead), bytes } : undefined
  } catch {
    return undefined
  }
}
