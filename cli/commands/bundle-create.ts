import type { FileHandle } from 'node:fs/promises'
import { displaySize, plural } from '../../base/index.ts'
import { decodeHead, type Head, readBundle } from '../../sync/index.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { onDisk, writeWhole } from './whole-file.ts'

interface Options {
  library?: string
}

export const run = defineCommand(
  async (context, [typed, specs]: [string, string[]], { library }: Options) => {
    const file = resolvePath(context, typed)
    const query = new URLSearchParams()
    if (specs.length > 0) query.set('specs', specs.join('\n'))
    if (library !== undefined) query.set('library', library)
    const bundle = await writeWhole(file, handle =>
      summaryOf(written(context, handle, context.client().download(`/v1/bundle?${query}`, context.signal)))
    )
    context.progress.finish()
    const { records, contents, bytes, head } = bundle
    const { epoch, revision, time, expires } = head
    const result = {
      file,
      bytes,
      library: Buffer.from(head.library).toString('hex'),
      head: { epoch, revision, time: instant(time), expires: instant(expires) },
      records,
      contents
    }
    context.output.result(
      result,
      () => `${file}: ${plural(records, 'record')}, ${plural(contents, 'content')}, ${displaySize(bytes)}`
    )
  }
)

async function* written(
  context: Context,
  handle: FileHandle,
  pieces: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  let bytesDone = 0
  for await (const piece of pieces) {
    await onDisk('the bundle', () => handle.appendFile(piece))
    bytesDone += piece.byteLength
    context.progress.update({ phase: 'writing the bundle', bytesDone })
    yield piece
  }
}

/** What a bundle holds, read as it goes by: a file that could not be read again is no bundle. */
async function summaryOf(
  pieces: AsyncIterable<Uint8Array>
): Promise<{ head: Head; records: number; contents: number; bytes: number }> {
  let bytes = 0
  let head: Head | undefined
  const count = { records: 0, contents: 0 }
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      yield piece
    }
  }
  for await (const part of readBundle(counted())) {
    if (part.kind === 'head') head = decodeHead(Uint8Array.from(part.head))
    else if (part.kind === 'record') count.records++
    else if (part.kind === 'whole') count.contents++
  }
  return { head: head!, ...count, bytes }
}

const instant = (ms: number): string => new Date(ms).toISOString()
