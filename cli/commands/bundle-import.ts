import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CatalogError, plural } from '../../base/index.ts'
import { BUNDLE_TYPE } from '../../sync/index.ts'
import type { BundleResult } from '../client/types.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [typed]: [string]) => {
  const file = resolvePath(context, typed)
  const sizeBytes = await sizeOf(file)
  const result = await context
    .client()
    .upload<BundleResult>('/v1/bundles', BUNDLE_TYPE, piecesOf(context, file, sizeBytes), context.signal)
  context.progress.finish()
  if (result.isExpired)
    context.output.warn(
      `the bundle was made of a state of the library that held until ${result.head.expires}: newer releases and yanks may be missing`
    )
  if (result.isOlder) context.output.warn('this node knows a newer state of the library than the bundle has')
  context.output.result(result, () => {
    const { records, newRecords, contents, newContents, writer } = result
    return `${plural(records, 'record')} (${newRecords} new) and ${plural(contents, 'content')} (${newContents} new) of the library of ${writer}`
  })
})

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
