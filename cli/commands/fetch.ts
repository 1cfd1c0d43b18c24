import { displayDuration, displaySize } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { FetchResult } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { displayRate } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export interface FetchRequest {
  spec: string
  publisher?: string
  from?: string
  priority?: string
}

/** Has the daemon fetch a release and waits for it. */
export function fetchRelease(context: Context, request: FetchRequest): Promise<FetchResult> {
  return runOperation<FetchResult>(context, { path: '/v1/fetches', body: request })
}

export const run = defineCommand(async (context, [spec]: [string], options: Omit<FetchRequest, 'spec'>) => {
  const { publisher, from, priority } = options
  const result = await fetchRelease(context, { spec, publisher, from, priority })
  context.output.result({ ...result, publisher: result.owner }, () => {
    const took = `${displayDuration(result.tookMs)}, ${displayRate(result.bytesFetched, result.tookMs)}`
    const reused = result.bytesReused > 0 ? `, ${displaySize(result.bytesReused)} were here` : ''
    const fetched =
      result.bytesFetched > 0 ? `${displaySize(result.bytesFetched)} in ${took}` : 'nothing to fetch'
    return `${result.name}@${result.version}: ${fetched}${reused}`
  })
})
