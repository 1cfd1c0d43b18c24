import * as Type from 'typebox'
import { BlockedShape, BlockResult, BlockSubject, BlocksReply } from '../../schemas.ts'
import { MAX_REASON_CHARS } from '../../services/blocking.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'store'
/** What is kept away from this node. */
export function blockRoutes({ blocks }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/blocks',
      tag,
      summary: 'What is blocked here, and why.',
      response: BlocksReply,
      handle: async () => blocks.list()
    }),
    route({
      method: 'POST',
      url: '/v1/blocks',
      tag,
      summary: 'Blocks an owner, a name or a content, and lets go of what is here of it.',
      body: Type.Object({
        subject: BlockSubject,
        reason: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_REASON_CHARS })),
        isDryRun: Type.Optional(Type.Boolean({ description: 'Says what would go, and changes nothing.' }))
      }),
      response: BlockResult,
      handle: ({ body, signal }) => blocks.add(body, signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/blocks/:subject',
      tag,
      summary: 'Lets something in again that was blocked; what had gone comes when it is asked for.',
      params: Type.Object({ subject: BlockSubject }),
      response: BlockedShape,
      handle: ({ params, signal }) => blocks.remove(params.subject, signal)
    })
  ]
}
