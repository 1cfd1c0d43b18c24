import { rmSync } from 'node:fs'
import { displaySize, plural, systemClock } from '../../base/index.ts'
import { verifyBundle } from '../../node/index.ts'
import { resolvePath } from '../framework/context.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { expiredWarning } from './bundle-expired.ts'
import { BUNDLE_FILE, inputFile } from './input-file.ts'

export const run = defineCommand(async (context, [typed]: [string]) => {
  const path = resolvePath(context, typed)
  const { sizeBytes, pieces } = await inputFile(context, path, BUNDLE_FILE)
  let folder: string | undefined
  // A second Ctrl-C ends the process at once.
  const atExit = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', atExit)
  const onFolder = (made: string): void => {
    folder = made
  }
  const verified = await verifyBundle(
    { clock: systemClock },
    { source: pieces(), onFolder },
    context.signal
  ).finally(() => process.off('exit', atExit))
  context.progress.finish()
  const { head, isExpired, isWhole, library, address, records, contents } = verified
  if (isExpired) context.output.warn(expiredWarning(head.expires))
  context.output.result({ file: path, bytes: sizeBytes, ...verified }, () =>
    formatFields([
      ['library', address],
      ['id', library],
      ['head', `${head.revision} of epoch ${head.epoch}, holds until ${head.expires}`],
      ['holds', isWhole ? 'the whole library' : 'a part of the library'],
      ['records', plural(records, 'record')],
      ['contents', plural(contents, 'content')],
      ['size', displaySize(sizeBytes)]
    ])
  )
})
