import { displaySize, plural } from '../../base/index.ts'
import type { BlockResult } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  reason?: string
  dryRun?: boolean
}

export const run = defineCommand(async (context, [subject]: [string], { reason, dryRun }: Options) => {
  const { signal } = context
  const body = { subject, reason, isDryRun: dryRun === true }
  const result = await context.client().request<BlockResult>('POST', '/v1/blocks', { body, signal })
  context.output.result(result, () => {
    const { releases, contents, sizeBytes } = result.dropped
    const gone = `${plural(releases, 'release')} and ${plural(contents, 'content')} (${displaySize(sizeBytes)})`
    return result.isDryRun
      ? `would go with it: ${gone}`
      : `${result.subject} is blocked; gone with it: ${gone}`
  })
})
