import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [content]: [string]) => {
  const path = `/v1/contents/${encodeURIComponent(content)}`
  const removed = await context
    .client()
    .request<{ content: string }>('DELETE', path, { signal: context.signal })
  context.output.result(removed, () => `${removed.content} is let go of; \`catalog gc\` frees its bytes now`)
})
