import { displaySize, plural } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { CollectResult } from '../client/types.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, _: [], { dryRun = false }: { dryRun?: boolean }) => {
  const request = { path: '/v1/collections', body: { dryRun } }
  const result = await runOperation<CollectResult>(context, request)
  context.output.result(result, () => {
    const goes = dryRun ? 'would go' : 'went'
    const releases = result.releases.map(({ name, sizeBytes, reason }) =>
      printable(`${reason}: ${name} (${displaySize(sizeBytes)}) ${goes}`)
    )
    const freed = `${displaySize(result.freedBytes)} ${dryRun ? 'would be freed' : 'freed'}`
    const from = `${plural(result.blocks, 'block')} that nothing needs, ${plural(result.segments, 'segment')}`
    return [...releases, `${freed}: ${from}; the store holds ${displaySize(result.bytes)}`].join('\n')
  })
})
