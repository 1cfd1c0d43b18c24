import type { LogLine } from './line.ts'

export type LineListener = (line: LogLine) => void

/** The last lines of the log, for `catalog log`, and whoever follows it. Bounded by lines and by bytes. */
export class LogRing {
  readonly #lines: LogLine[] = []
  readonly #listeners = new Set<LineListener>()
  readonly #maxLines: number
  readonly #maxBytes: number
  #bytes = 0

  constructor(options: { maxLines: number; maxBytes: number }) {
    this.#maxLines = options.maxLines
    this.#maxBytes = options.maxBytes
  }

  push(line: LogLine): void {
    this.#lines.push(line)
    this.#bytes += line.text.length
    while (this.#lines.length > this.#maxLines || this.#bytes > this.#maxBytes) {
      const gone = this.#lines.shift()
      if (gone === undefined) break
      this.#bytes -= gone.text.length
    }
    for (const listener of this.#listeners) listener(line)
  }

  /** Oldest first. */
  recent(): readonly LogLine[] {
    return this.#lines
  }

  /** Returns the function that ends it. */
  follow(listener: LineListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }
}
