/**
 * What one source has been measured to do, and how much to ask of it at once. A request waits for a round trip and for
 * those before it, so a source is kept busy by as many bytes as it sends in that time (the bandwidth-delay product), and
 * more only makes the last request late. Until something is measured a source gets a small window of small requests.
 */
import { KIB, MIB, SECOND_MS } from '../../../base/index.ts'
import { MAX_ANSWER_BYTES, REQUEST_WINDOW } from '../limits.ts'

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

export class SourceRate {
  #goodput: number | undefined
  #latencyMs: number | undefined
  #sampleBytes = 0
  #sampleMs = 0

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
    if (this.#sampleBytes < SAMPLE_BYTES && this.#sampleMs < SAMPLE_MS) return
    const rate = (this.#sampleBytes / Math.max(this.#sampleMs, 0.1)) * SECOND_MS
    this.#goodput = average(this.#goodput, rate)
    this.#sampleBytes = 0
    this.#sampleMs = 0
  }

  /** It does not send more than this, seen from what it did not answer. */
  isAtMost(bytesPerSecond: number): void {
    this.#goodput = Math.min(this.#goodput ?? bytesPerSecond, bytesPerSecond)
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
