import { createStream, type RotatingFileStream } from 'rotating-file-stream'
import { KIB, MIB, SECOND_MS } from '../../base/index.ts'
import { PRIVATE_FILE_MODE } from '../home/layout.ts'
import { LOG_LEVELS } from './line.ts'
import { prettyLine } from './pretty.ts'

/** Where lines go. `write` never waits and never throws: a log must not stop what it tells of. */
export interface LogSink {
  write(text: string): void
  close(): Promise<void>
}

/** Lines for people on a terminal. */
export function terminalSink(stream: Pick<NodeJS.WriteStream, 'write'>, colour: boolean): LogSink {
  return {
    write: text => {
      stream.write(prettyLine(text, colour))
    },
    close: async () => {}
  }
}

export interface FileSinkOptions {
  folder: string
  /** A file is closed and renamed at this size. */
  maxFileBytes: number
  /** Closed files that are kept. */
  maxFiles: number
}

/** The file that is written; closed ones are `catalog.log.1` (the newest) and up. */
export const LOG_FILE = 'catalog.log'
/** What may wait for a slow disk. */
const MAX_WAITING_BYTES = 4 * MIB

/** After the disk refused a line, this long lines are dropped before the file is opened anew. */
const REOPEN_MS = 10 * SECOND_MS
/** For the last lines to reach the system when the daemon stops. */
const CLOSE_MS = SECOND_MS

/**
 * JSON lines in a rotated file. A disk that refuses them is told on stderr once; lines are dropped and counted until it
 * takes them again, as a log must not stop what it tells of.
 */
export function fileSink(options: FileSinkOptions): LogSink {
  return new FileSink(options)
}

class FileSink implements LogSink {
  readonly #options: FileSinkOptions
  #stream: RotatingFileStream | undefined
  #reopenAtMs = 0
  #dropped = 0
  #isTold = false

  constructor(options: FileSinkOptions) {
    this.#options = options
    this.#stream = this.#open()
  }

  write(text: string): void {
    if (this.#stream === undefined && performance.now() >= this.#reopenAtMs) this.#stream = this.#open()
    const stream = this.#stream
    if (stream === undefined || stream.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++
      return
    }
    if (this.#dropped > 0) stream.write(droppedLine(this.#dropped))
    this.#dropped = 0
    stream.write(text)
  }

  close(): Promise<void> {
    const stream = this.#stream
    if (stream === undefined) return Promise.resolve()
    return new Promise(resolve => {
      const late = setTimeout(resolve, CLOSE_MS)
      stream.end(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }

  #open(): RotatingFileStream {
    const { folder, maxFileBytes, maxFiles } = this.#options
    const stream = createStream(LOG_FILE, {
      path: folder,
      size: `${Math.max(1, Math.ceil(maxFileBytes / KIB))}K`,
      rotate: maxFiles,
      mode: PRIVATE_FILE_MODE
    })
    stream.on('error', error => {
      // A stream that failed once stays closed for ever: a later line opens a new one.
      if (this.#stream === stream) this.#stream = undefined
      this.#reopenAtMs = performance.now() + REOPEN_MS
      this.#tell(error)
    })
    stream.on('warning', error => this.#tell(error))
    return stream
  }

  #tell(error: Error): void {
    if (!this.#isTold) process.stderr.write(`catalog: the log cannot be written: ${error.message}\n`)
    this.#isTold = true
  }
}

function droppedLine(dropped: number): string {
  const time = new Date().toISOString()
  return `${JSON.stringify({ level: LOG_LEVELS.warn, time, dropped, msg: 'log lines were dropped' })}\n`
}
