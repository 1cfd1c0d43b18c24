import type { ReleaseItem } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { releaseTable } from './releases.ts'

export const run = defineCommand(async (context, [name]: [string], options: { local?: boolean }) => {
  const answer = await context
    .client()
    .request<{ name: string; versions: ReleaseItem[] }>('GET', '/v1/versions', {
      query: { name, network: options.local !== true },
      signal: context.signal
    })
  context.output.result({ ...answer, name }, () => releaseTable(answer.versions))
})
