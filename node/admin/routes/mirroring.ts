import * as Type from 'typebox'
import { MirrorCopyShape, MirrorPlanReply, MirrorStatus, OperationReply } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'
import { TimeoutMs } from '../time-limit.ts'

const tag = 'mirroring'
const Spec = Type.String({ minLength: 1, maxLength: 256 })
const Publisher = Type.Optional(Type.String({ maxLength: 128 }))

/** What this node holds for others. */
export function mirrorRoutes({ mirroring, operations, lifecycle }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/mirror',
      tag,
      summary: 'What this node holds for others, and by which rules.',
      response: MirrorStatus,
      handle: async () => mirroring.status()
    }),
    route({
      method: 'GET',
      url: '/v1/mirror/plan',
      tag,
      summary: 'What mirroring would do now, and why.',
      response: MirrorPlanReply,
      handle: async () => mirroring.plan()
    }),
    route({
      method: 'POST',
      url: '/v1/mirror/runs',
      tag,
      summary: 'Looks at everything anew and does what follows, until nothing is left to do.',
      body: Type.Object({ timeoutMs: TimeoutMs }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running'], 'mirror')
        return {
          operation: operations.start('mirror', requestId, work => mirroring.run(work), body.timeoutMs)
        }
      }
    }),
    route({
      method: 'PUT',
      url: '/v1/mirror/drain',
      tag,
      summary:
        'This node is about to leave for good: it hands over what too few others hold. Or it stays after all.',
      body: Type.Object({ isDraining: Type.Boolean() }),
      response: MirrorStatus,
      handle: ({ body }) => mirroring.drain(!body.isDraining)
    }),
    route({
      method: 'POST',
      url: '/v1/mirror/pins',
      tag,
      summary: 'Brings a release and keeps it for others, whatever its rank.',
      body: Type.Object({ spec: Spec, publisher: Publisher, timeoutMs: TimeoutMs }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running'], 'mirror')
        const { spec, publisher, timeoutMs } = body
        return {
          operation: operations.start(
            'mirror',
            requestId,
            work => mirroring.pin(spec, publisher, work),
            timeoutMs
          )
        }
      }
    }),
    route({
      method: 'DELETE',
      url: '/v1/mirror/pins',
      tag,
      summary: 'A release is kept for others as its rank says from now on.',
      query: Type.Object({ spec: Spec, publisher: Publisher }),
      response: MirrorCopyShape,
      handle: ({ query, signal }) => mirroring.unpin(query.spec, query.publisher, signal)
    })
  ]
}
