import type { MirrorCopyShape } from '../client/types.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [spec]: [string], { publisher }: { publisher?: string }) => {
  const { signal } = context
  const copy = await context
    .client()
    .request<MirrorCopyShape>('DELETE', '/v1/mirror/pins', { query: { spec, publisher }, signal })
  context.output.result(copy, () =>
    printable(`${copy.name}@${copy.version} is kept for others as its rank says`)
  )
})
