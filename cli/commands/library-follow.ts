import type { FollowShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { conditionsText } from './conditions.ts'

interface Options {
  content?: string
  mode?: string
  type?: string
  tag?: string
  category?: string
  prefix?: string
  publisher?: string
  everything?: boolean
}

export const run = defineCommand(async (context, [library]: [string], options: Options) => {
  const { content, mode, type, tag, category, prefix, publisher, everything } = options
  const follow = await context.client().request<FollowShape>('POST', '/v1/follows', {
    body: { library, content, mode, type, tag, category, prefix, publisher, everything },
    signal: context.signal
  })
  context.output.result(follow, () => {
    const joining = follow.mode === 'union' ? ', and what is in it joins home' : ''
    const only = conditionsText(follow)
    const onlyText = only === '' ? '' : `, only of what is ${only}`
    return `${follow.address} is followed: content ${follow.content}${joining}${onlyText}`
  })
  context.output.note('`catalog sync --status` shows how that goes.')
})
