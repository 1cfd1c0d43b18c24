/**
 * Bytes on their way into one native stream, in order. Small pieces are joined up to the size of one native write (each
 * costs a hop to another thread), large ones are cut without copying. `pendingBytes` counts what is queued and what the
 * write in flight holds, for the water marks.
 */
export class WriteQueue {
  #parts: Uint8Array[] = []
  /** Index of the first unsent part: shifting a long array for every write would be quadratic. */
  #first = 0
  #queuedBytes = 0
  #inFlightBytes = 0

  get pendingBytes(): number {
    return this.#queuedBytes + this.#inFlightBytes
  }

  push(parts: Iterable<Uint8Array>): void {
    for (const part of parts) {
      if (part.byteLength === 0) continue
      this.#parts.push(part)
      this.#queuedBytes += part.byteLength
    }
  }

  /** The next at most `maxBytes` for one native write, or undefined when nothing waits. `written()` must follow. */
  take(maxBytes: number): Uint8Array | undefined {
    const head = this.#parts[this.#first]
    if (head === undefined) return undefined
    const isLast = this.#first === this.#parts.length - 1
    const bytes = isLast || head.byteLength > maxBytes / 2 ? this.#cut(head, maxBytes) : this.#join(maxBytes)
    this.#compact()
    this.#queuedBytes -= bytes.byteLength
    this.#inFlightBytes = bytes.byteLength
    return bytes
  }

  /** The bytes last taken have been written, or have failed to be. */
  written(): void {
    this.#inFlightBytes = 0
  }

  /** Forgets what is queued; a write in flight stays counted until `written()`. */
  clear(): void {
    this.#parts = []
    this.#first = 0
    this.#queuedBytes = 0
  }

  #cut(head: Uint8Array, maxBytes: number): Uint8Array {
    if (head.byteLength <= maxBytes) {
      this.#first++
      return head
    }
    this.#parts[this.#first] = head.subarray(maxBytes)
    return head.subarray(0, maxBytes)
  }

  #join(maxBytes: number): Uint8Array {
    let end = this.#first
    let size = 0
    for (let part = this.#parts[end]; part !== undefined; part = this.#parts[++end]) {
      if (size + part.byteLength > maxBytes) break
      size += part.byteLength
    }
    const joined = new Uint8Array(size)
    let offset = 0
    for (const part of this.#parts.slice(this.#first, end)) {
      joined.set(part, offset)
      offset += part.byteLength
    }
    this.#first = end
    return joined
  }

  #compact(): void {
    if (this.#first === this.#parts.length) {
      this.#parts = []
      this.#first = 0
    } else if (this.#first > 1024) {
      this.#parts.splice(0, this.#first)
      this.#first = 0
    }
  }
}
