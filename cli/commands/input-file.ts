/** A file that a command reads from its beginning to its end: a bundle, a backup. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CatalogError } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'

export interface InputFile {
  readonly sizeBytes: number
  /** Its bytes, once. Tells the progress. */
  pieces(): AsyncIterable<Uint8Array>
}

export interface InputKind {
  /** For the progress: `the bundle`. */
  readonly what: string
  /** What makes such files: `bundle create`. */
  readonly madeBy: string
}

export const BUNDLE_FILE: InputKind = { what: 'the bundle', madeBy: 'bundle create' }
export const BACKUP_FILE: InputKind = { what: 'the backup', madeBy: 'backup' }

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR'])

/** Of a file that a command is to read: NOT_FOUND when it is not there, INVALID_ARGUMENT when it cannot be read as a file. */
export function unreadable(file: string, cause: unknown, hint?: string): CatalogError {
  const reason = codeOf(cause)
  return new CatalogError(
    NOT_THERE.has(reason) ? 'NOT_FOUND' : 'INVALID_ARGUMENT',
    `${file} cannot be read (${reason})`,
    { hint: hint ?? 'give the path of a file that this user may read', cause }
  )
}

/** Throws as `unreadable`. */
export async function inputFile(context: Context, file: string, kind: InputKind): Promise<InputFile> {
  const sizeBytes = await sizeOf(file, kind)
  return { sizeBytes, pieces: () => piecesOf(context, file, sizeBytes, kind) }
}

async function sizeOf(file: string, { madeBy }: InputKind): Promise<number> {
  try {
    const found = await stat(file)
    if (found.isFile()) return found.size
  } catch (cause) {
    throw unreadable(file, cause, `give a file that \`catalog ${madeBy}\` has made`)
  }
  throw new CatalogError('INVALID_ARGUMENT', `${file} is not a file`, {
    hint: `give a file that \`catalog ${madeBy}\` has made`
  })
}

async function* piecesOf(
  context: Context,
  file: string,
  bytesTotal: number,
  { what }: InputKind
): AsyncGenerator<Uint8Array> {
  let bytesDone = 0
  try {
    for await (const piece of createReadStream(file, { signal: context.signal })) {
      yield piece as Uint8Array
      bytesDone += (piece as Uint8Array).byteLength
      context.progress.update({ phase: `reading ${what}`, bytesDone, bytesTotal })
    }
  } catch (cause) {
    context.signal.throwIfAborted()
    throw new CatalogError('DISK_IO', `${file} cannot be read (${codeOf(cause)})`, { cause })
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
