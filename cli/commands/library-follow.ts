import type { FollowShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

interface Options {
  content?: string
  mode?: string
}

export const run = defineCommand(async (context, [library]: [string], { content, mode }: Options) => {
  const follow = await context.client().request<FollowShape>('POST', '/v1/follows', {
    body: { library, content, mode },
    signal: context.signal
  })
  context.output.result(follow, () => {
    const joining = follow.mode === 'union' ? ', and what is in it joins home' : ''
    return `${follow.address} is followed: content ${follow.content}${joining}`
  })
  context.output.note('`catalog sync --status` shows how that goes.')
})
