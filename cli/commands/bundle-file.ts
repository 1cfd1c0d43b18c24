/** The file of a bundle, as the commands read it. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CatalogError } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'

export interface BundleFile {
  readonly sizeBytes: number
  /** Its bytes, once. Tells the progress. */
  pieces(): AsyncIterable<Uint8Array>
}

/** INVALID_ARGUMENT when there is no such file. */
export async function bundleFile(context: Context, file: string): Promise<BundleFile> {
  const sizeBytes = await sizeOf(file)
  return { sizeBytes, pieces: () => piecesOf(context, file, sizeBytes) }
}

/** What the user is to know of a state that is past. */
export const expiredWarning = (expires: string): string =>
  `the bundle was made of a state of the library that held until ${expires}: newer releases and yanks may be missing`

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file)
    if (found.isFile()) return found.size
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', `${file} cannot be read (${codeOf(cause)})`, {
      hint: 'give a file that `catalog bundle create` has made',
      cause
    })
  }
  throw new CatalogError('INVALID_ARGUMENT', `${file} is not a file`)
}

async function* piecesOf(context: Context, file: string, bytesTotal: number): AsyncGenerator<Uint8Array> {
  let bytesDone = 0
  try {
    for await (const piece of createReadStream(file, { signal: context.signal })) {
      yield piece as Uint8Array
      bytesDone += (piece as Uint8Array).byteLength
      context.progress.update({ phase: 'reading the bundle', bytesDone, bytesTotal })
    }
  } catch (cause) {
    context.signal.throwIfAborted()
    throw new CatalogError('DISK_IO', `${file} cannot be read (${codeOf(cause)})`, { cause })
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
