/**
 * What a holder has of a release while it is still fetching it itself: a bit for each unit of the release's bytes, all
 * files one behind another in the order of the manifest. A bit says that every byte of the unit is here, so every chunk
 * that touches it, and all tree nodes above. The unit follows from the size that the signed record states, so both
 * sides know how long a map must be before they read one.
 */
import { CatalogError, MIB } from '../../base/index.ts'
import { MAX_MAP_BYTES } from './limits.ts'
import type { Have } from './messages.js'

const UNIT_BYTES = MIB
/** Where manifest blocks belong: before all units. */
export const MANIFEST_UNIT = -1

/** Where bytes stand of which nobody knows: in no unit that a map could name, so only a holder of everything has them. */
export const NOWHERE = Number.NEGATIVE_INFINITY

/** Bytes of a unit: a mebibyte, doubled until the map has its largest length at most. */
export function unitBytesOf(sizeBytes: number): number {
  let unitBytes = UNIT_BYTES
  while (sizeBytes / unitBytes > MAX_MAP_BYTES * 8) unitBytes *= 2
  return unitBytes
}

/** A map as it is read: `undefined` on the wire is a holder of everything. */
export class HaveMap {
  readonly isWhole = false
  readonly #hasManifest: boolean
  readonly #bits: Uint8Array

  /** PROTOCOL_VIOLATION unless the map is as long as the release asks for, with nothing set behind its end. */
  constructor({ manifest, units }: Have, sizeBytes: number) {
    const count = Math.ceil(sizeBytes / unitBytesOf(sizeBytes))
    const isExact = units.byteLength === Math.ceil(count / 8)
    const rest = count % 8
    if (!isExact || (rest > 0 && units.at(-1)! >> rest !== 0))
      throw new CatalogError('PROTOCOL_VIOLATION', `a map of ${units.byteLength} bytes for ${count} units`)
    this.#hasManifest = manifest
    this.#bits = units
  }

  has(unit: number): boolean {
    if (unit === MANIFEST_UNIT) return this.#hasManifest
    if (unit < 0) return false
    return ((this.#bits[unit >> 3] ?? 0) & (1 << (unit & 7))) !== 0
  }
}

/** Collects what has come to be here, range by range, each byte once. */
export class HaveTracker {
  hasManifest = false
  readonly #unitBytes: number
  /** Bytes of each unit that are not here yet. */
  readonly #missing: Float64Array
  readonly #bits: Uint8Array

  constructor(sizeBytes: number) {
    this.#unitBytes = unitBytesOf(sizeBytes)
    const count = Math.ceil(sizeBytes / this.#unitBytes)
    this.#missing = new Float64Array(count).fill(this.#unitBytes)
    if (count > 0) this.#missing[count - 1] = sizeBytes - (count - 1) * this.#unitBytes
    this.#bits = new Uint8Array(Math.ceil(count / 8))
  }

  add(offsetBytes: number, lengthBytes: number): void {
    if (offsetBytes === NOWHERE) return
    const end = offsetBytes + lengthBytes
    for (let at = offsetBytes; at < end; ) {
      const unit = Math.floor(at / this.#unitBytes)
      const next = Math.min(end, (unit + 1) * this.#unitBytes)
      const left = (this.#missing[unit] ?? 0) - (next - at)
      this.#missing[unit] = left
      if (left === 0) this.#bits[unit >> 3]! |= 1 << (unit & 7)
      at = next
    }
  }

  /** As it is sent; a copy. */
  get have(): Have {
    return { manifest: this.hasManifest, units: this.#bits.slice() }
  }
}
