import { statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { CatalogError, displaySize, plural, systemClock } from '../../base/index.ts'
import { backUpStopped, homeLayout, verifyBackup } from '../../node/index.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { backupFields } from './backup-fields.ts'
import { onDisk, writeWhole } from './whole-file.ts'

interface Options {
  withoutKeys?: boolean
}

/** The keys are inside. */
const PRIVATE_MODE = 0o600

export const run = defineCommand(async (context, [typed]: [string], { withoutKeys = false }: Options) => {
  const file = fileFor(resolvePath(context, typed))
  let bytes = 0
  const summary = await writeWhole(
    file,
    async handle =>
      // Read as it goes by: a file that could not be read again is no backup.
      await verifyBackup(
        written(context, handle, bytesOf(context, !withoutKeys), done => {
          bytes = done
        })
      ),
    PRIVATE_MODE
  )
  context.progress.finish()
  if (summary.awaySegments > 0)
    context.output.warn(
      `${plural(summary.awaySegments, 'segment')} of ${displaySize(summary.awayBytes)} are only in the bucket, and no part of this file`
    )
  const result = { file, bytes, ...backupFields(summary) }
  context.output.result(result, () => `${file}: ${displaySize(bytes)}, ${plural(summary.rows, 'row')}`)
  if (!withoutKeys)
    context.output.note(
      'The keys of this node are in the file: who has it can be this node, and publish as you.'
    )
})

/** In a folder it is named after the time. */
function fileFor(typed: string): string {
  if (statSync(typed, { throwIfNoEntry: false })?.isDirectory() !== true) return typed
  const time = new Date(systemClock.now()).toISOString().replaceAll(':', '').slice(0, 17)
  return path.join(typed, `catalog-${time}Z.backup`)
}

/** From the daemon, or from the home itself where none runs. */
async function* bytesOf(context: Context, keys: boolean): AsyncGenerator<Uint8Array> {
  const { signal, home } = context
  try {
    yield* context.client().download(`/v1/backup?keys=${keys}`, signal)
    return
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'NO_DAEMON') throw error
  }
  yield* backUpStopped({ home: homeLayout(home), clock: systemClock }, keys, signal)
}

async function* written(
  context: Context,
  handle: FileHandle,
  pieces: AsyncIterable<Uint8Array>,
  onBytes: (done: number) => void
): AsyncGenerator<Uint8Array> {
  let bytesDone = 0
  for await (const piece of pieces) {
    await onDisk('the backup', () => handle.appendFile(piece))
    bytesDone += piece.byteLength
    onBytes(bytesDone)
    context.progress.update({ phase: 'writing the backup', bytesDone })
    yield piece
  }
}
