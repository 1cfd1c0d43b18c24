import { displayDuration, displaySize, plural, SECOND_MS } from '../../base/index.ts'
import { displayRate, printable } from './format.ts'
import type { Io } from './io.ts'

/** A report on long work: bytes, items or neither, as far as they are known. */
export interface ProgressReport {
  phase: string
  bytesDone?: number
  bytesTotal?: number
  itemsDone?: number
  itemsTotal?: number
}

export type ProgressMode = 'bar' | 'json' | 'none'

/** Redraws of the bar, and lines of ndjson, at most this often. */
const REDRAW_MS = 100
/** The rate is averaged over about this long, so that the estimate neither jumps nor lags. */
const RATE_WINDOW_MS = 3 * SECOND_MS
const BAR_CELLS = 24
const DEFAULT_COLUMNS = 80

/**
 * Shows how far long work is, on stderr: a bar that redraws itself on a terminal, one JSON object per line with
 * `--progress json`, nothing otherwise. The rate is an exponential average over RATE_WINDOW_MS; the estimate of the time
 * left is the missing bytes over that rate.
 */
export class Progress {
  readonly #io: Io
  readonly #mode: ProgressMode
  readonly #now: () => number
  #phase = ''
  #shownAtMs = Number.NEGATIVE_INFINITY
  #measuredAtMs = 0
  #measuredBytes = 0
  #bytesPerMs = 0
  #drawn = false
  #last: ProgressReport | undefined

  constructor(io: Io, mode: ProgressMode, now: () => number = () => performance.now()) {
    this.#io = io
    this.#mode = mode
    this.#now = now
  }

  /** How often it is worth asking the daemon for news. */
  get wanted(): boolean {
    return this.#mode !== 'none'
  }

  update(report: ProgressReport): void {
    if (this.#mode === 'none') return
    const nowMs = this.#now()
    const changed = report.phase !== this.#phase
    if (changed) this.#begin(report, nowMs)
    this.#measure(report, nowMs)
    this.#last = report
    if (!changed && nowMs - this.#shownAtMs < REDRAW_MS) return
    this.#shownAtMs = nowMs
    this.#show(report)
  }

  /** Shows the last state once more and leaves the terminal clean. */
  finish(): void {
    if (this.#mode === 'json' && this.#last !== undefined) this.#show(this.#last)
    this.#last = undefined
    this.#phase = ''
    this.clear()
  }

  /** Wipes the bar so that something else can be printed. */
  clear(): void {
    if (!this.#drawn) return
    this.#io.stderr.write('\r\u001b[2K')
    this.#drawn = false
  }

  #begin(report: ProgressReport, nowMs: number): void {
    this.#phase = report.phase
    this.#measuredAtMs = nowMs
    this.#measuredBytes = report.bytesDone ?? 0
    this.#bytesPerMs = 0
  }

  #measure(report: ProgressReport, nowMs: number): void {
    const elapsedMs = nowMs - this.#measuredAtMs
    if (report.bytesDone === undefined || elapsedMs < REDRAW_MS) return
    const rate = (report.bytesDone - this.#measuredBytes) / elapsedMs
    const weight = this.#bytesPerMs === 0 ? 1 : 1 - Math.exp(-elapsedMs / RATE_WINDOW_MS)
    this.#bytesPerMs += weight * (rate - this.#bytesPerMs)
    this.#measuredAtMs = nowMs
    this.#measuredBytes = report.bytesDone
  }

  #show(report: ProgressReport): void {
    if (this.#mode === 'json') {
      const bytesPerSecond = Math.round(this.#bytesPerMs * SECOND_MS)
      this.#io.stderr.write(`${JSON.stringify({ event: 'progress', ...report, bytesPerSecond })}\n`)
      return
    }
    const width = (this.#io.stderr.columns ?? DEFAULT_COLUMNS) - 1
    this.#io.stderr.write(`\r\u001b[2K${this.#bar(report).slice(0, width)}`)
    this.#drawn = true
  }

  #bar(report: ProgressReport): string {
    const { bytesDone, bytesTotal, itemsDone, itemsTotal } = report
    const parts = [printable(report.phase)]
    const [done, total] = bytesTotal === undefined ? [itemsDone, itemsTotal] : [bytesDone, bytesTotal]
    if (done !== undefined && total !== undefined && total > 0) {
      const share = Math.min(1, done / total)
      const full = Math.round(share * BAR_CELLS)
      parts.push(
        `[${'#'.repeat(full)}${'-'.repeat(BAR_CELLS - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`
      )
    }
    if (bytesDone !== undefined) {
      parts.push(
        bytesTotal === undefined
          ? displaySize(bytesDone)
          : `${displaySize(bytesDone)} of ${displaySize(bytesTotal)}`
      )
    }
    if (itemsDone !== undefined)
      parts.push(
        itemsTotal === undefined ? plural(itemsDone, 'file') : `${itemsDone}/${plural(itemsTotal, 'file')}`
      )
    if (this.#bytesPerMs > 0) {
      parts.push(displayRate(this.#bytesPerMs, 1))
      if (bytesTotal !== undefined && bytesDone !== undefined && bytesDone < bytesTotal)
        parts.push(`${displayDuration(Math.round((bytesTotal - bytesDone) / this.#bytesPerMs))} left`)
    }
    return parts.join('  ')
  }
}
