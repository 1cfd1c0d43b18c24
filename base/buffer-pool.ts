export interface BufferPoolOptions {
  /** Size of the buffers that are kept. */
  sizeBytes: number
  /** Buffers that wait to be used again; more that come back are dropped. */
  maxKept: number
  /** Memory that another thread reads in place (SharedArrayBuffer). */
  shared?: boolean
}

/**
 * Buffers used again and again by something that moves bulk data. A fresh buffer for each megabyte makes a gibibyte of
 * garbage per gibibyte: the engine then collects its whole heap for each few megabytes, and the collector takes more
 * time than the hashing (measured: 150 full collections for 1 GiB).
 *
 * A buffer may come back only when nobody looks at it any more. One whose use failed in between is dropped instead:
 * somebody may still read or write it, and must never see or harm other bytes.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions
  readonly #kept: Uint8Array[] = []

  constructor(options: BufferPoolOptions) {
    this.#options = options
  }

  /** A buffer of at least `sizeBytes`; what is in it are leftovers. One above the pool's size is never kept. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.#options.sizeBytes) return this.#make(sizeBytes)
    return this.#kept.pop() ?? this.#make(this.#options.sizeBytes)
  }

  /** Gives a buffer back. */
  give(buffer: Uint8Array): void {
    const { sizeBytes, maxKept } = this.#options
    if (buffer.byteLength === sizeBytes && this.#kept.length < maxKept) this.#kept.push(buffer)
  }

  #make(sizeBytes: number): Uint8Array {
    return this.#options.shared === true
      ? new Uint8Array(new SharedArrayBuffer(sizeBytes))
      : Buffer.allocUnsafeSlow(sizeBytes)
  }
}
