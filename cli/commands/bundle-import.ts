import { plural } from '../../base/index.ts'
import { BUNDLE_TYPE } from '../../sync/index.ts'
import type { BundleResult } from '../client/types.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { expiredWarning } from './bundle-expired.ts'
import { BUNDLE_FILE, inputFile } from './input-file.ts'

export const run = defineCommand(async (context, [typed]: [string]) => {
  const file = await inputFile(context, resolvePath(context, typed), BUNDLE_FILE)
  const result = await context
    .client()
    .upload<BundleResult>('/v1/bundles', BUNDLE_TYPE, file.pieces(), context.signal)
  context.progress.finish()
  warn(context, result)
  context.output.result(result, () => {
    const { records, newRecords, contents, newContents, address } = result
    const came = `${plural(records, 'record')} (${newRecords} new) and ${plural(contents, 'content')} (${newContents} new) of the library ${address}`
    return [came, ...copyLines(result)].join('\n')
  })
})

function warn({ output }: Context, { isExpired, isOlder, head, copy, address }: BundleResult): void {
  if (isExpired) output.warn(expiredWarning(head.expires))
  if (isOlder) output.warn('this node knows a newer state of the library than the bundle has')
  if (copy === 'too-large')
    output.warn(
      'the library is too large for a copy of it here; raise sync.maxRecords or sync.maxBytes and import it again'
    )
  if (copy === 'busy')
    output.warn(
      `no copy was made of the library, as ${address}, or as many libraries as this node has places for, is being compared with peers; import it again later`
    )
}

function copyLines({ copy, address, head }: BundleResult): string[] {
  if (copy === 'own') return ['the library is one of this node itself, so no copy of it was made']
  if (copy !== 'made') return []
  return [
    `the library is here as a copy now, revision ${head.revision}`,
    `unless it is followed, it stays as it is: \`catalog sync PEER --library ${address}\` brings what is newer, \`catalog sync ${address} --forget\` lets go of it`
  ]
}
