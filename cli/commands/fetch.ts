import { displayDuration, displaySize } from '../../base/index.ts'
import { runOrQueue } from '../client/later.ts'
import type { FetchResult } from '../client/types.ts'
import { displayRate } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { warnOfStatus } from './releases.ts'

interface Options {
  publisher?: string
  from?: string
  priority?: string
  later?: boolean
  stale?: boolean
}

export const run = defineCommand(async (context, [spec]: [string], options: Options) => {
  const { publisher, from, priority, later, stale } = options
  const body = { spec, publisher, from, priority, stale }
  const result = await runOrQueue<FetchResult>(context, { path: '/v1/fetches', queue: 'fetch', body, later })
  if (result === undefined) return
  warnOfStatus(context, result)
  context.output.result({ ...result, publisher: result.owner }, () => {
    const took = `${displayDuration(result.tookMs)}, ${displayRate(result.bytesFetched, result.tookMs)}`
    const reused = result.bytesReused > 0 ? `, ${displaySize(result.bytesReused)} were here` : ''
    const fetched =
      result.bytesFetched > 0 ? `${displaySize(result.bytesFetched)} in ${took}` : 'nothing to fetch'
    return `${result.name}@${result.version}: ${fetched}${reused}`
  })
})
