import { HOUR_MS } from '../../base/index.ts'

/**
 * Bytes that may be spent on copies: so many an hour, and what was not spent of one hour at most is left for the next. A release may be larger than that:
 * it is begun while anything is left, and what it takes beyond is waited for afterwards.
 */
export class Budget {
  readonly #bytesPerHour: number
  #leftBytes: number
  #atMs: number | undefined

  constructor({ bytesPerHour }: { bytesPerHour: number }) {
    this.#bytesPerHour = bytesPerHour
    this.#leftBytes = bytesPerHour
  }

  leftBytes(nowMs: number): number {
    this.#atMs ??= nowMs
    const passedMs = Math.max(0, nowMs - this.#atMs)
    this.#leftBytes = Math.min(
      this.#bytesPerHour,
      this.#leftBytes + (this.#bytesPerHour * passedMs) / HOUR_MS
    )
    this.#atMs += passedMs
    return this.#leftBytes
  }

  spend(bytes: number, nowMs: number): void {
    this.#leftBytes = this.leftBytes(nowMs) - bytes
  }

  /** When something is left again. */
  nextMs(nowMs: number): number {
    const leftBytes = this.leftBytes(nowMs)
    return leftBytes > 0 ? nowMs : nowMs + Math.ceil(((1 - leftBytes) / this.#bytesPerHour) * HOUR_MS)
  }
}
