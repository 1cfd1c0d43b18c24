/** What is known of a source from earlier fetches and from elsewhere. What is undefined was not measured. */
export interface SourceRecall {
  /** Bytes a second that it sent. */
  readonly goodput: number | undefined
  readonly roundTripMs: number | undefined
}

/** What one fetch measured of a source. */
export interface SourceMeasured {
  /** Bytes of its answers, and the time in which it had something to answer. */
  readonly bytes: number
  readonly tookMs: number
  /** Bytes a second that it does not exceed, as was seen from what it did not answer. */
  readonly atMost?: number
}

/** Remembers sources from one fetch to the next. Peers go by the texts of their ids. */
export interface SourceMemory {
  recall(peerId: string): SourceRecall
  /** A fetch draws from a source now; `ended` follows, once. */
  began(peerId: string): void
  ended(peerId: string, measured: SourceMeasured): void
}
