import type { ReleaseItem } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { printable } from '../framework/format.ts'

interface Change {
  method: 'PUT' | 'DELETE'
  path: string
  /** What was done, after the name. */
  done: string
}

/** Changes what is kept of one release, and says which one that was. */
export async function changeRetention(
  context: Context,
  spec: string,
  publisher: string | undefined,
  { method, path, done }: Change
): Promise<void> {
  const wanted = { spec, ...(publisher === undefined ? {} : { publisher }) }
  const request = method === 'PUT' ? { body: wanted } : { query: wanted }
  const item = await context
    .client()
    .request<ReleaseItem>(method, path, { ...request, signal: context.signal })
  context.output.result(item, () => printable(`${item.name}@${item.version} ${done}`))
}
