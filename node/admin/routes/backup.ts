import * as Type from 'typebox'
import { BACKUP_TYPE } from '../../backup/parts.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'

const tag = 'node'

export function backupRoutes({ backingUp, lifecycle }: NodeServices, streams: Streams): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/backup',
      tag,
      summary:
        'The whole state of the node as one file, as it is now, keys included; the trailer x-catalog-status says how it ended.',
      query: Type.Object({
        keys: Type.Optional(
          Type.Boolean({ description: 'Whether node key and publisher keys are inside; yes unless given.' })
        )
      }),
      produces: BACKUP_TYPE,
      handle: ({ query: { keys = true }, reply, requestId, signal }) => {
        lifecycle.require(['running', 'paused'], 'make a backup')
        return streams.send(reply, { requestId, type: BACKUP_TYPE }, backingUp.create(keys, signal))
      }
    })
  ]
}
