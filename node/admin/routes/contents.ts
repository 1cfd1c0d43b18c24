import * as Type from 'typebox'
import { MAX_PAGE_CONTENTS } from '../../../library/index.ts'
import { parseCid } from '../../cid.ts'
import { OperationReply } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { ContentList } from '../../store-schemas.ts'
import { type Route, route } from '../route.ts'
import { OwnTimeoutMs } from '../time-limit.ts'

const tag = 'contents'
const DEFAULT_PAGE = 100
/** As long as a path can be. */
const MAX_PATH_CHARS = 4096
const Cid = Type.String({ minLength: 1, maxLength: 128 })

export function contentRoutes({ contents, copying, lifecycle, operations }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/contents',
      tag,
      summary: 'What the store holds, page by page: sizes, states, pins, and what names it.',
      query: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE_CONTENTS })),
        after: Type.Optional(Cid)
      }),
      response: ContentList,
      handle: ({ query: { limit = DEFAULT_PAGE, after }, signal }) =>
        contents.list(limit, after === undefined ? undefined : parseCid(after), signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/contents/:cid',
      tag,
      summary:
        'Lets go of one content, whatever names it; the records stay, its bytes go with the next collection.',
      params: Type.Object({ cid: Cid }),
      response: Type.Object({ content: Type.String() }),
      handle: async ({ params, signal }) => {
        const content = parseCid(params.cid)
        await contents.remove(content, signal)
        return { content: content.toString() }
      }
    }),
    route({
      method: 'POST',
      url: '/v1/copies',
      tag,
      summary:
        'Copies every release that is whole here to another home of the same user, which no daemon runs on.',
      body: Type.Object({
        to: Type.String({
          minLength: 1,
          maxLength: MAX_PATH_CHARS,
          description: 'Absolute path of the home.'
        }),
        timeoutMs: OwnTimeoutMs
      }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running', 'paused'], 'copy contents')
        const { to, timeoutMs = 'unlimited' } = body
        return { operation: operations.start('copy', requestId, work => copying.copy(to, work), timeoutMs) }
      }
    })
  ]
}
