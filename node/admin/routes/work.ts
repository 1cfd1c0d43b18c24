import * as Type from 'typebox'
import { PRIORITIES } from '../../../protocols/index.ts'
import { MAX_WAIT_MS, type Operation } from '../../operations.ts'
import { OperationReply, OperationShape, Why } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { ANSWERED, type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'
import { TimeoutMs } from '../time-limit.ts'

const Spec = Type.String({ minLength: 1, maxLength: 256 })
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })

/** What a fetch is asked with. */
export const FETCH_FIELDS = {
  spec: Spec,
  publisher: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  content: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'CID of the one content that is meant, as a lock file says.'
    })
  ),
  from: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'Peer id or multiaddr.' })),
  priority: Type.Optional(
    Type.Enum(PRIORITIES, { description: 'How urgent it is beside other transfers; normal unless given.' })
  ),
  stale: Type.Optional(
    Type.Boolean({ description: 'Takes it although all libraries here that have it may be out of date.' })
  )
}

export function workRoutes(services: NodeServices, streams: Streams): Route[] {
  return [...startRoutes(services), ...operationRoutes(services, streams)]
}

function startRoutes({
  collecting,
  fetching,
  lifecycle,
  operations,
  verification,
  why
}: NodeServices): Route[] {
  return [
    route({
      method: 'POST',
      url: '/v1/fetches',
      tag: 'packages',
      summary: 'Brings a release into the store, every byte verified.',
      body: Type.Object({ ...FETCH_FIELDS, timeoutMs: TimeoutMs }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running'], 'fetch')
        const { timeoutMs, ...wanted } = body
        return {
          operation: operations.start('fetch', requestId, work => fetching.fetch(wanted, work), timeoutMs)
        }
      }
    }),
    route({
      method: 'POST',
      url: '/v1/verifications',
      tag: 'packages',
      summary: 'Hashes again what the store holds of a release, or of all.',
      body: Type.Object({
        spec: Type.Optional(Spec),
        repair: Type.Optional(Type.Boolean({ description: 'Fetch again what is damaged.' })),
        timeoutMs: TimeoutMs
      }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => ({
        operation: operations.start(
          'verify',
          requestId,
          context => verification.verify(body.spec, body.repair ?? false, context),
          body.timeoutMs
        )
      })
    }),
    route({
      method: 'POST',
      url: '/v1/collections',
      tag: 'node',
      summary: 'Frees what nothing needs, and unused releases down to the low-water mark of the quota.',
      body: Type.Object({
        dryRun: Type.Optional(Type.Boolean({ description: 'Say what would go, and change nothing.' })),
        timeoutMs: TimeoutMs
      }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => ({
        operation: operations.start(
          'gc',
          requestId,
          context => collecting.collect(body.dryRun ?? false, context),
          body.timeoutMs
        )
      })
    }),
    route({
      method: 'GET',
      url: '/v1/why',
      tag: 'packages',
      summary: 'Explains a release: who holds it, what was tried, what went wrong.',
      query: Type.Object({ spec: Spec }),
      response: Why,
      handle: ({ query, signal }) => why.why(query.spec, signal)
    })
  ]
}

function operationRoutes({ events, operations }: NodeServices, streams: Streams): Route[] {
  const tag = 'operations'
  return [
    route({
      method: 'GET',
      url: '/v1/operations',
      tag,
      summary: 'Operations that run, and those that ended a while ago.',
      response: Type.Object({ operations: Type.Array(OperationShape) }),
      handle: () => ({ operations: operations.list() })
    }),
    route({
      method: 'GET',
      url: '/v1/operations/:id',
      tag,
      summary:
        'One operation; with wait, answers when it has ended (with until=release also when its release is known) or after so many milliseconds.',
      params: Id,
      query: Type.Object({
        wait: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_WAIT_MS })),
        until: Type.Optional(Type.Literal('release'))
      }),
      response: OperationReply,
      handle: async ({ params, query, signal }) => ({
        operation:
          query.wait === undefined
            ? operations.get(params.id)
            : await operations.wait(params.id, query.wait, signal, query.until)
      })
    }),
    route({
      method: 'DELETE',
      url: '/v1/operations/:id',
      tag,
      summary: 'Cancels an operation.',
      params: Id,
      response: OperationReply,
      handle: ({ params }) => ({ operation: operations.cancel(params.id) })
    }),
    route({
      method: 'GET',
      url: '/v1/operations/:id/events',
      tag,
      summary: 'Server-sent events of one operation; ends with it.',
      params: Id,
      produces: 'text/event-stream',
      handle: ({ params, reply, requestId }) => {
        const current = operations.get(params.id)
        const stream = streams.open(reply, 'events', requestId)
        const tell = (operation: Operation): void => {
          stream.event(events.now('operation', { ...operation }))
          if (operation.state !== 'running') stream.end()
        }
        if (current.state === 'running') stream.onEnd(operations.watch(params.id, tell))
        tell(current)
        return ANSWERED
      }
    })
  ]
}
