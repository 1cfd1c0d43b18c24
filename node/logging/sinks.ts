import { createStream } from 'rotating-file-stream'
import { KIB } from '../../base/index.ts'
import { PRIVATE_FILE_MODE } from '../home/layout.ts'
import { prettyLine } from './pretty.ts'

/** Where lines go. `write` never waits and never throws: a log must not stop what it tells of. */
export interface LogSink {
  write(text: string): void
  close(): Promise<void>
}

/** Lines for people on a terminal. */
export function terminalSink(stream: NodeJS.WriteStream): LogSink {
  const colour = stream.isTTY === true && process.env.NO_COLOR === undefined
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
/** Lines that may wait for a slow disk; beyond it they are dropped and counted. */
const MAX_WAITING_BYTES = 4 * 1024 * KIB

/** JSON lines in a rotated file. A disk that fails is told on stderr once, then lines are dropped until it works. */
export function fileSink(options: FileSinkOptions): LogSink {
  const stream = createStream(LOG_FILE, {
    path: options.folder,
    size: `${Math.max(1, Math.ceil(options.maxFileBytes / KIB))}K`,
    rotate: options.maxFiles,
    mode: PRIVATE_FILE_MODE
  })
  let failed = false
  let dropped = 0
  const onProblem = (error: Error): void => {
    if (!failed) process.stderr.write(`catalog: the log cannot be written: ${error.message}\n`)
    failed = true
  }
  stream.on('error', onProblem)
  stream.on('warning', onProblem)
  return {
    write: text => {
      if (stream.destroyed || stream.writableLength > MAX_WAITING_BYTES) {
        dropped++
        return
      }
      if (dropped > 0) {
        stream.write(
          `${JSON.stringify({ level: 40, time: new Date().toISOString(), dropped, msg: 'log lines were dropped' })}\n`
        )
        dropped = 0
      }
      stream.write(text)
    },
    close: () =>
      new Promise(resolve => {
        if (stream.destroyed) return resolve()
        stream.once('close', () => resolve())
        stream.end()
      })
  }
}
