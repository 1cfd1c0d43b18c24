/** Byte strings to be found in others, as they are or in hex: any number in one pass. */
export class Needles {
  /** Whether some of them begins so, by its first two bytes. */
  readonly #beginnings = new Uint8Array(1 << 16)
  readonly #byBeginning: ReadonlyMap<number, Buffer[]>

  /** Each of two bytes at least. */
  constructor(needles: readonly Uint8Array[]) {
    const forms = needles.flatMap(bytes => [
      Buffer.from(bytes),
      Buffer.from(Buffer.from(bytes).toString('hex'))
    ])
    this.#byBeginning = Map.groupBy(forms, form => form.readUInt16BE())
    for (const beginning of this.#byBeginning.keys()) this.#beginnings[beginning] = 1
  }

  isIn(bytes: Uint8Array): boolean {
    for (let at = 0; at + 1 < bytes.byteLength; at++) {
      const beginning = (bytes[at]! << 8) | bytes[at + 1]!
      if (this.#beginnings[beginning] === 1 && this.#isAt(bytes, at, beginning)) return true
    }
    return false
  }

  #isAt(bytes: Uint8Array, at: number, beginning: number): boolean {
    return this.#byBeginning
      .get(beginning)!
      .some(form => form.equals(bytes.subarray(at, at + form.byteLength)))
  }
}
