import { runOperation } from '../client/operations.ts'
import type { MirrorCopyShape } from '../client/types.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [spec]: [string], { publisher }: { publisher?: string }) => {
  const request = { path: '/v1/mirror/pins', body: { spec, publisher } }
  const copy = await runOperation<MirrorCopyShape>(context, request)
  context.output.result(copy, () => printable(`${copy.name}@${copy.version} is kept for others`))
})
