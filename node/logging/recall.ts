import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '../../base/index.ts'
import type { ErrorLog } from './error-log.ts'
import { LOG_LEVELS, type LogLevel } from './line.ts'
import { LOG_FILE } from './sinks.ts'

/** Of the end of the newest file: some thousand lines, read in milliseconds. */
const MAX_BYTES = MIB
const NAMES = new Map<unknown, LogLevel>(
  Object.entries(LOG_LEVELS).map(([name, number]) => [number, name as LogLevel])
)

/**
 * Has an error log remember what the newest file of the log tells of the time before this daemon. A file that is not there or cannot be read
 * tells nothing.
 */
export async function recallErrors(errors: ErrorLog, folder: string, beforeMs: number): Promise<void> {
  for (const text of (await tailOf(join(folder, LOG_FILE))).split('\n')) {
    const line = parsed(text)
    const level = NAMES.get(line?.level)
    const atMs = Date.parse(String(line?.time))
    if (line === undefined || level === undefined || !(atMs < beforeMs)) continue
    errors.recall({ atMs, level, message: String(line.msg ?? ''), fields: line })
  }
}

async function tailOf(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(size, MAX_BYTES))
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, size - buffer.byteLength)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return ''
  }
}

/** The first line of a tail may be half a line, and another may have been cut by a full disk. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const line: unknown = JSON.parse(text)
    return typeof line === 'object' && line !== null ? (line as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
