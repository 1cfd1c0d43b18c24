import * as Type from 'typebox'
import { parseSpec } from '../../../library/index.ts'
import { QueuedShape, QueueReply } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'
import { SYNC_FIELDS } from './syncing.ts'
import { FETCH_FIELDS } from './work.ts'

const tag = 'operations'

export function queueRoutes({ queueing }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/queue',
      tag,
      summary: 'What waits until somebody can be reached, the oldest first.',
      response: QueueReply,
      handle: ({ signal }) => queueing.list(signal)
    }),
    route({
      method: 'POST',
      url: '/v1/queue/fetch',
      tag,
      summary: 'Fetches a release as soon as somebody can give it, a week at most.',
      body: Type.Object(FETCH_FIELDS),
      status: 201,
      response: QueuedShape,
      handle: ({ body, signal }) => {
        parseSpec(body.spec)
        return queueing.add('fetch', body, signal)
      }
    }),
    route({
      method: 'POST',
      url: '/v1/queue/sync',
      tag,
      summary: 'Follows a library as soon as the peer can be reached, a week at most.',
      body: Type.Object(SYNC_FIELDS),
      status: 201,
      response: QueuedShape,
      handle: ({ body, signal }) => queueing.add('sync', body, signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/queue/:id',
      tag,
      summary: 'Lets go of something that waits; a try that is under way goes on.',
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }),
      response: Type.Object({ id: Type.String() }),
      handle: async ({ params: { id } }) => {
        await queueing.remove(id)
        return { id }
      }
    })
  ]
}
