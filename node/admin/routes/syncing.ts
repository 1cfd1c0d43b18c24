import * as Type from 'typebox'
import { CONTENT_POLICIES, SYNC_MODES } from '../../../config/index.ts'
import { PACKAGE_TYPES, RECORD_LIMITS } from '../../../library/index.ts'
import { SYNC_STRATEGIES } from '../../../sync/index.ts'
import { OperationReply } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { FollowShape, SyncStatus, Unfollowed } from '../../sync-schemas.ts'
import { type Route, route } from '../route.ts'
import { OwnTimeoutMs } from '../time-limit.ts'

const tag = 'sync'
/** A peer id, a slash and a name. */
const MAX_ADDRESS_CHARS = 128

/** What a session with a peer is asked with. */
export const SYNC_FIELDS = {
  peer: Type.String({ minLength: 1, maxLength: 512, description: 'Peer id or multiaddr.' }),
  library: Type.Optional(
    Type.String({
      maxLength: MAX_ADDRESS_CHARS,
      description:
        "PEERID for the home of that node, PEERID/NAME for another library of it, or NAME for a library of the peer; the peer's home unless given."
    })
  )
}

const params = Type.Object({
  library: Type.String({
    minLength: 1,
    maxLength: MAX_ADDRESS_CHARS,
    description: 'PEERID, or PEERID/NAME with the slash encoded.'
  })
})

/** A part of what is said of a release that a filter names. */
const filter = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }))

const FILTER_FIELDS = {
  type: Type.Optional(
    Type.Enum(PACKAGE_TYPES, { description: 'Only releases of this type: their content, and what joins.' })
  ),
  tag: filter(RECORD_LIMITS.wordBytes, 'The same of releases with this keyword.'),
  category: filter(RECORD_LIMITS.wordBytes, 'The same of releases of this category.'),
  prefix: filter(130, 'The same of names that begin so.'),
  publisher: filter(128, 'The same of releases of the owner with this public key.')
}

export function syncRoutes(services: NodeServices): Route[] {
  return [...sessionRoutes(services), ...followRoutes(services)]
}

function sessionRoutes({ syncing, lifecycle, operations }: NodeServices): Route[] {
  return [
    route({
      method: 'POST',
      url: '/v1/sync',
      tag,
      summary: 'Makes the copy here of a library of another node equal to what a peer has of it.',
      body: Type.Object({
        ...SYNC_FIELDS,
        content: Type.Optional(
          Type.Enum(CONTENT_POLICIES, {
            description: 'Which content comes after the records; none unless given.'
          })
        ),
        mode: Type.Optional(
          Type.Enum(SYNC_MODES, {
            description:
              'mirror: a copy, and nothing else; union: what is in it joins the home library of this node too, and stays there. A mirror unless given.'
          })
        ),
        ...FILTER_FIELDS,
        dryRun: Type.Optional(
          Type.Boolean({ description: 'Say what would come and go, and store nothing.' })
        ),
        strategy: Type.Optional(
          Type.Enum(SYNC_STRATEGIES, {
            description:
              'How the copy is made equal: differential looks for what differs; incremental has the writer tell what changed since, and looks for it where that is not known; full takes everything anew. Unless given: incremental with the writer itself, differential with others.'
          })
        ),
        timeoutMs: OwnTimeoutMs
      }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running'], 'sync')
        // A session has limits of its own, and a library may be large.
        const { timeoutMs = 'unlimited', ...wanted } = body
        return {
          operation: operations.start('sync', requestId, work => syncing.sync(wanted, work), timeoutMs)
        }
      }
    }),
    route({
      method: 'GET',
      url: '/v1/sync',
      tag,
      summary: 'The libraries of other nodes that copies are here of.',
      response: SyncStatus,
      handle: ({ signal }) => syncing.status(signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/sync/:library',
      tag,
      summary: 'Lets go of the copy of a library.',
      params,
      response: Type.Object({ writer: Type.String(), name: Type.String() }),
      handle: ({ params: { library }, signal }) => syncing.forget(library, signal)
    })
  ]
}

/** Libraries that are kept equal by themselves. */
function followRoutes({ subscribing }: NodeServices): Route[] {
  return [
    route({
      method: 'POST',
      url: '/v1/follows',
      tag,
      summary: 'Follows a library of another node from now on, or in another way than before.',
      body: Type.Object({
        library: Type.String({
          minLength: 1,
          maxLength: MAX_ADDRESS_CHARS,
          description: 'PEERID for the home of that node, PEERID/NAME for another library of it.'
        }),
        content: Type.Optional(
          Type.Enum(CONTENT_POLICIES, {
            description: 'Which content comes with it; as it was, or none, unless given.'
          })
        ),
        mode: Type.Optional(
          Type.Enum(SYNC_MODES, {
            description:
              'union: it joins the home library of this node too; as it was, or mirror, unless given.'
          })
        ),
        ...FILTER_FIELDS,
        everything: Type.Optional(
          Type.Boolean({
            description:
              'Takes the filter away. Of type, tag, category, prefix and publisher those that are given are the whole filter from then on; with none of them it stays as it was.'
          })
        )
      }),
      response: FollowShape,
      handle: ({ body }) => subscribing.follow(body)
    }),
    route({
      method: 'DELETE',
      url: '/v1/follows/:library',
      tag,
      summary: 'Follows a library no more, and lets go of the copy of it.',
      params,
      response: Unfollowed,
      handle: ({ params: { library }, signal }) => subscribing.unfollow(library, signal)
    })
  ]
}
