/**
 * How fast a peer takes what it is sent, as its server sees it. How long sending takes says nothing: an answer is handed over
 * at once and lies in the buffers of both sides. What the peer asks for does: it keeps about a window of requests under way and asks for
 * more when something has come. So the answers to what it asked for after the first answer went out, over the time in which they
 * went, are what the path carried; what was asked for before is left out at the beginning, as what is under way is at the end.
 */
export class ServedPace {
  #earlyRequests = 0
  #sinceMs: number | undefined
  #untilMs = 0
  #bytes = 0

  /** A request was read. */
  asked(): void {
    if (this.#sinceMs === undefined) this.#earlyRequests++
  }

  /** The next request was answered, with so many bytes. */
  answered(bytes: number, nowMs: number): void {
    if (this.#earlyRequests-- > 0) this.#sinceMs ??= nowMs
    else {
      this.#bytes += bytes
      this.#untilMs = nowMs
    }
  }

  /** Undefined while nothing was asked for after the first answer. */
  get figures(): { bytes: number; tookMs: number } | undefined {
    return this.#bytes === 0 ? undefined : { bytes: this.#bytes, tookMs: this.#untilMs - this.#sinceMs! }
  }
}
