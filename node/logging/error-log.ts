/**
 * What failed, counted: each line of the log that tells of an error (it has a `code` or an `err`) is noted here, whatever its level and whether
 * or not that is written, as one entry for each code, part, peer and subject with its first and last time and how often. So an
 * operator sees what fails, with whom and since when, without reading lines. In memory and bounded; the files of the log have each line.
 */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { LOG_LEVELS, type LogLevel } from './line.ts'

/**
 * Distinct errors that are remembered, about 500 bytes each. Where there are more, one of the most frequent kind goes, the one that came least
 * lately: however many peers cannot be dialled, an error of the disk is there when it is looked for.
 */
const MAX_ERRORS = 500
/** Times of each that are kept, to count those of the last hours. */
const MAX_TIMES = 8
/** Of a message or a field: it may be a peer's. */
const MAX_TEXT = 200
/** Someone wanted it so, or the daemon stops: nothing failed. */
const NO_ERRORS: ReadonlySet<string> = new Set(['ABORTED', 'SHUTTING_DOWN'])
/** Fields that name a peer, and those that name what it was about, the first that a line has. */
const PEER_FIELDS = ['peer', 'peerId', 'relay', 'address']
const SUBJECT_FIELDS = ['library', 'name', 'spec', 'kind', 'task', 'work']

export interface NotedError {
  /** Of docs/errors.md, or the name of an error that a library threw. */
  readonly code: string
  /** Part of the node that logged it; empty when it did not say. */
  readonly part: string
  readonly level: LogLevel
  readonly message: string
  readonly peer?: string
  /** Release, library or kind of operation. */
  readonly subject?: string
  readonly firstMs: number
  readonly lastMs: number
  readonly times: number
}

/** A line as it was written. */
export interface ErrorLine {
  readonly atMs: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Entry {
  noted: NotedError
  /** The last of them, oldest first. */
  readonly timesMs: number[]
}

export class ErrorLog {
  /** By code and part, MAX_ERRORS in all; of each those that came last are at the end. */
  readonly #kinds = new Map<string, Map<string, Entry>>()
  readonly #onNoted = new Set<(error: NotedError) => void>()

  /** Calls back for each error from now on. */
  onNoted(listener: (error: NotedError) => void): void {
    this.#onNoted.add(listener)
  }

  /** Notes the error of a line, if it tells of one. */
  note(line: ErrorLine): void {
    const noted = errorOf(line)
    if (noted === undefined) return
    this.#put(noted)
    for (const listener of this.#onNoted) listener(noted)
  }

  /** The same of a line of an earlier life of the daemon: listeners do not hear of it. */
  recall(line: ErrorLine): void {
    const noted = errorOf(line)
    if (noted !== undefined) this.#put(noted)
  }

  /** Errors that came at or after a time, the last one first. */
  list(sinceMs: number): NotedError[] {
    return this.#entries()
      .map(({ noted }) => noted)
      .filter(({ lastMs }) => lastMs >= sinceMs)
      .sort((a, b) => b.lastMs - a.lastMs)
  }

  /** How often errors of a code came at or after a time, of each entry MAX_TIMES at most; and with how many peers. */
  since(code: string, sinceMs: number): { times: number; peers: number } {
    const entries = this.#entries().filter(({ noted }) => noted.code === code)
    const recent = entries.map(({ noted, timesMs }) => ({
      peer: noted.peer,
      times: timesMs.filter(atMs => atMs >= sinceMs).length
    }))
    const peers = new Set(recent.flatMap(({ peer, times }) => (times > 0 ? (peer ?? []) : [])))
    return { times: recent.reduce((sum, { times }) => sum + times, 0), peers: peers.size }
  }

  #put(noted: NotedError): void {
    const kind = JSON.stringify([noted.code, noted.part])
    const key = JSON.stringify([noted.peer, noted.subject])
    const entries = this.#kinds.get(kind) ?? new Map<string, Entry>()
    const known = entries.get(key)
    const timesMs = [...(known?.timesMs ?? []), noted.lastMs].sort((a, b) => a - b).slice(-MAX_TIMES)
    const together = known === undefined ? noted : joined(known.noted, noted)
    entries.delete(key)
    entries.set(key, { noted: together, timesMs })
    this.#kinds.set(kind, entries)
    if (known === undefined) this.#makeRoom()
  }

  #makeRoom(): void {
    const kinds = [...this.#kinds]
    if (kinds.reduce((sum, [, { size }]) => sum + size, 0) <= MAX_ERRORS) return
    const [kind, entries] = kinds.reduce((a, b) => (b[1].size > a[1].size ? b : a))
    const [oldest] = entries.keys()
    entries.delete(oldest!)
    if (entries.size === 0) this.#kinds.delete(kind)
  }

  #entries(): Entry[] {
    return [...this.#kinds.values()].flatMap(entries => [...entries.values()])
  }
}

/** As the later of the two says it, with the worse level. */
function joined(a: NotedError, b: NotedError): NotedError {
  const [worse] = [a.level, b.level].sort((one, other) => LOG_LEVELS[other] - LOG_LEVELS[one])
  return {
    ...(a.lastMs > b.lastMs ? a : b),
    level: worse!,
    firstMs: Math.min(a.firstMs, b.firstMs),
    times: a.times + b.times
  }
}

function errorOf({ atMs, level, message, fields }: ErrorLine): NotedError | undefined {
  const { code, err, reason, part } = fields
  const found = typeof code === 'string' ? { code, message: reason } : codeOf(err)
  if (found === undefined || NO_ERRORS.has(found.code)) return undefined
  const said = typeof found.message === 'string' ? `${message}: ${found.message}` : message
  const peer = firstText(fields, PEER_FIELDS)
  const subject = firstText(fields, SUBJECT_FIELDS)
  return {
    code: found.code.slice(0, MAX_TEXT),
    part: typeof part === 'string' ? part : '',
    level,
    message: said.slice(0, MAX_TEXT),
    ...(peer === undefined ? {} : { peer }),
    ...(subject === undefined ? {} : { subject }),
    firstMs: atMs,
    lastMs: atMs,
    times: 1
  }
}

/** Of an error object, or of what the log wrote of one. */
function codeOf(err: unknown): { code: string; message?: unknown } | undefined {
  if (typeof err !== 'object' || err === null) return undefined
  const { code, type, name, message } = err as Record<string, unknown>
  if (err instanceof CatalogError) return { code: err.code, message }
  if (err instanceof Error) {
    const known = toCatalogError(err).code
    return { code: known === 'INTERNAL' ? String(name) : known, message }
  }
  if (typeof code === 'string') return { code, message }
  return typeof type === 'string' ? { code: type, message } : undefined
}

function firstText(fields: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields[name]
    if (typeof value === 'string' && value !== '') return value.slice(0, MAX_TEXT)
  }
  return undefined
}
