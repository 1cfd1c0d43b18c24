import { CatalogError } from '../../base/index.ts'
import type { LimitedPeer } from '../client/types.ts'
import { limitsText } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  rate?: number
  up?: number
  down?: number
  burst?: number
  clear?: boolean
}

export const run = defineCommand(async (context, [peerId]: [string], options: Options) => {
  const { rate, up = rate, down = rate, burst, clear } = options
  const isSet = [up, down, burst].some(value => value !== undefined)
  if (isSet === (clear === true))
    throw new CatalogError('INVALID_ARGUMENT', 'peers limit takes limits, or --clear', {
      hint: 'give --rate, --up, --down or --burst; or --clear alone'
    })
  const path = `/v1/peers/${encodeURIComponent(peerId)}/limits`
  const client = context.client()
  const answer =
    clear === true
      ? await client.request<LimitedPeer>('DELETE', path, { signal: context.signal })
      : await client.request<LimitedPeer>('PUT', path, { body: { up, down, burst }, signal: context.signal })
  context.output.result(answer, () => `${answer.peerId}: ${limitsText(answer.limits)}`)
})
