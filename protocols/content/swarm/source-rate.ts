/**
 * What one source has been measured to do, and how much to ask of it at once. A request waits for a round trip and for
 * those before it, so a source is kept busy by as many bytes as it sends in that time (the bandwidth-delay product), and
 * more only makes the last request late. Until something is measured a source gets a small window of small requests.
 */
import { KIB, MIB, SECOND_MS } from '../../../base/index.ts'
import { MAX_ANSWER_BYTES, REQUEST_WINDOW } from '../limits.ts'
import type { SourceMeasured, SourceRecall } from '../source-memory.ts'

/** Share of a new sample in the moving averages: the last four or five count most. */
const SAMPLE_WEIGHT = 0.25
/** A sample is closed with so many bytes or after so long: the time of one small answer says little. */
const SAMPLE_BYTES = 256 * KIB
const SAMPLE_MS = 250
/** Work beyond two round trips that a source has before it: covers its disk and the jitter of both sides. */
const QUEUED_MS = 100
/** One request is about as much as comes in this time, so that a slow source never holds much for long. */
const REQUEST_MS = 250
const MIN_REQUEST_BYTES = 64 * KIB
/** Before anything is known. */
const FIRST_REQUEST_BYTES = 256 * KIB
const MAX_WINDOW_BYTES = REQUEST_WINDOW * MAX_ANSWER_BYTES
const MIN_REQUESTS = 2
const UNKNOWN_LATENCY_MS = 100

/** What came from a source over all of its connections. */
interface Total {
  bytes: number
  /** Of the connection that was busy for longest: they are busy at the same time. */
  tookMs: number
  atMost: number | undefined
}

export class SourceRate {
  #goodput: number | undefined
  #latencyMs: number | undefined
  #sampleBytes = 0
  #sampleMs = 0
  #busyMs = 0
  readonly #total: Total

  /** `recall`: where it begins, until something is measured here. */
  constructor(recall?: SourceRecall, total: Total = { bytes: 0, tookMs: 0, atMost: undefined }) {
    this.#goodput = recall?.goodput
    this.#latencyMs = recall?.roundTripMs
    this.#total = total
  }

  /** Another connection to the same source, which has a rate of its own. */
  beside(): SourceRate {
    return new SourceRate(undefined, this.#total)
  }

  /** What was measured here, of all connections together. */
  get measured(): SourceMeasured {
    const { bytes, tookMs, atMost } = this.#total
    return { bytes, tookMs, ...(atMost !== undefined && { atMost }) }
  }

  /** Bytes a second of answers while something was asked for; undefined until measured. */
  get goodput(): number | undefined {
    return this.#goodput
  }

  /** From asking to the first word of an answer, with nothing queued before it. */
  get latencyMs(): number {
    return this.#latencyMs ?? UNKNOWN_LATENCY_MS
  }

  /** An answer of `bytes` took `tookMs` from when it could begin. */
  answered(bytes: number, tookMs: number): void {
    this.#sampleBytes += bytes
    this.#sampleMs += tookMs
    this.#busyMs += tookMs
    if (this.#sampleBytes < SAMPLE_BYTES && this.#sampleMs < SAMPLE_MS) return
    const rate = (this.#sampleBytes / Math.max(this.#sampleMs, 0.1)) * SECOND_MS
    this.#goodput = average(this.#goodput, rate)
    this.#sampleBytes = 0
    this.#sampleMs = 0
  }

  /** A stream is over on which so many bytes came, parts of answers too, and whose next answer was awaited for so long in vain. */
  streamEnded(bytes: number, awaitedMs: number): void {
    this.#busyMs += awaitedMs
    this.#total.bytes += bytes
    this.#total.tookMs = Math.max(this.#total.tookMs, this.#busyMs)
  }

  /** It does not send more than this, seen from what it did not answer. */
  isAtMost(bytesPerSecond: number): void {
    this.#goodput = Math.min(this.#goodput ?? bytesPerSecond, bytesPerSecond)
    this.#total.atMost = this.#goodput
  }

  roundTrip(tookMs: number): void {
    this.#latencyMs = average(this.#latencyMs, tookMs)
  }

  /** Bytes to ask for in one request. */
  get requestBytes(): number {
    if (this.#goodput === undefined) return FIRST_REQUEST_BYTES
    return clamp((this.#goodput * REQUEST_MS) / SECOND_MS, MIN_REQUEST_BYTES, MAX_ANSWER_BYTES)
  }

  /** Bytes to have in flight. */
  get windowBytes(): number {
    const least = MIN_REQUESTS * this.requestBytes
    if (this.#goodput === undefined) return 2 * MIB
    return clamp((this.#goodput * (2 * this.latencyMs + QUEUED_MS)) / SECOND_MS, least, MAX_WINDOW_BYTES)
  }

  /** When `bytes` asked for now, behind what is in flight, would be here. Infinity while nothing is known. */
  expectedMs(bytes: number): number {
    return this.#goodput === undefined
      ? Number.POSITIVE_INFINITY
      : this.latencyMs + (bytes / this.#goodput) * SECOND_MS
  }
}

const average = (old: number | undefined, sample: number): number =>
  old === undefined ? sample : old + SAMPLE_WEIGHT * (sample - old)

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))
