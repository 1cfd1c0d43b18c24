/** What was seen of a node over a whole soak. A start makes a new life: memory and files of one process say nothing of the next. */
import { SECOND_MS } from '../../base/index.ts'
import { Series } from './series.ts'

/** What a node said of itself at one moment. */
export interface Sample {
  /** Since the start of the soak. */
  readonly atMs: number
  readonly uptimeMs: number
  readonly rssBytes: number
  readonly openFiles: number
  /** 99th percentile of the last whole minute; absent while there is none, or when a fault was to slow the node meanwhile. */
  readonly loopP99Ms?: number
  /** Errors that its log has told of since its start, by code. */
  readonly errors: Readonly<Record<string, number>>
}

export interface Life {
  /** Of the last sample. */
  uptimeMs: number
  lastAtMs: number
  readonly rss: Series
  readonly files: Series
  errors: Readonly<Record<string, number>>
}

/** An answer of a node that was paused or had no processor is older by as much at most. */
const LATE_ANSWER_MS = 15 * SECOND_MS
/** Of one node: a soak that kills it more often is looked at by its last ones. */
const MAX_LIVES = 100
/** Of unasked ends: one is enough to fail. */
const MAX_ENDS = 20

export class NodeHistory {
  readonly name: string
  readonly loop = new Series()
  /** Ends that nobody had asked for: when, and what was seen. */
  readonly ends: string[] = []
  /** Errors of lives that are over, by code. */
  readonly #ended: Record<string, number> = {}
  readonly #lives: Life[] = []
  #starts = 0
  #mostFiles = 0

  constructor(name: string) {
    this.name = name
  }

  get lives(): readonly Life[] {
    return this.#lives
  }

  /** How many processes were seen, those that are not kept too. */
  get starts(): number {
    return this.#starts
  }

  get mostFiles(): number {
    return this.#mostFiles
  }

  add({ atMs, uptimeMs, rssBytes, openFiles, loopP99Ms, errors }: Sample): void {
    const life = this.#lifeOf(atMs, uptimeMs)
    life.uptimeMs = uptimeMs
    life.lastAtMs = atMs
    life.rss.add(atMs, rssBytes)
    life.files.add(atMs, openFiles)
    life.errors = errors
    this.#mostFiles = Math.max(this.#mostFiles, openFiles)
    if (loopP99Ms !== undefined) this.loop.add(atMs, loopP99Ms)
  }

  /** It does not run, and nobody had stopped it. */
  addEnd(what: string): void {
    if (this.ends.length < MAX_ENDS) this.ends.push(what)
  }

  /** Of all its lives, by code. */
  errors(): Record<string, number> {
    return sumOf([this.#ended, this.#lives.at(-1)?.errors ?? {}])
  }

  /** The uptime of a process never falls; that of another is less, or began after the last sample. */
  #lifeOf(atMs: number, uptimeMs: number): Life {
    const last = this.#lives.at(-1)
    const isSame =
      last !== undefined && uptimeMs >= last.uptimeMs && atMs - uptimeMs < last.lastAtMs + LATE_ANSWER_MS
    if (isSame) return last
    if (last !== undefined) Object.assign(this.#ended, sumOf([this.#ended, last.errors]))
    const life = { uptimeMs, lastAtMs: atMs, rss: new Series(), files: new Series(), errors: {} }
    this.#starts++
    this.#lives.push(life)
    if (this.#lives.length > MAX_LIVES) this.#lives.shift()
    return life
  }
}

export function sumOf(counts: ReadonlyArray<Readonly<Record<string, number>>>): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const [code, count] of counts.flatMap(one => Object.entries(one))) sum[code] = (sum[code] ?? 0) + count
  return sum
}
