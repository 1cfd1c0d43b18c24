import type { CID } from 'multiformats/cid'
import * as Type from 'typebox'
import { CatalogError, MINUTE_MS } from '../../../base/index.ts'
import { parseCid } from '../../cid.ts'
import type { OperationManager } from '../../operations.ts'
import { IngestReply, OperationReply, Pin, ReleaseInfo, ReleaseItem, VersionList } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { TAR_TYPE } from '../app.ts'
import { bytesOfRecord, RecordText } from '../record-text.ts'
import { type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'
import { receiveTar } from '../tar.ts'
import { TimeoutMs } from '../time-limit.ts'

const tag = 'packages'
const DEFAULT_PAGE = 100
const MAX_PAGE = 1000
/** More peers than this never hold one announcement: the DHT names 20 per key. */
const MAX_WAIT_PEERS = 20
/** Of a wait for peers when the request has no time-out. */
const DEFAULT_ANNOUNCE_TIMEOUT_MS = MINUTE_MS
/** Share of a request's time-out: the wait ends first, so that the answer still says that the release is published. */
const ANNOUNCE_SHARE = 0.9
const Name = Type.String({ minLength: 1, maxLength: 130 })
const Spec = Type.String({ minLength: 1, maxLength: 256 })
const Key = Type.String({ minLength: 1, maxLength: 128 })

export function packageRoutes(services: NodeServices, streams: Streams): Route[] {
  return [
    ...publishRoutes(services, streams),
    ...queryRoutes(services),
    ...pinRoutes(services),
    ...retentionRoutes(services)
  ]
}

function publishRoutes(
  { collecting, content, lifecycle, operations, publishing }: NodeServices,
  streams: Streams
): Route[] {
  return [
    route({
      method: 'POST',
      url: '/v1/ingests',
      tag,
      summary: 'Stores a folder, given as an uncompressed tar stream with its entries in manifest order.',
      consumes: TAR_TYPE,
      query: Type.Object({
        roomFor: Type.Optional(
          Type.Integer({
            minimum: 0,
            description:
              'Bytes of its files, for which room is made first: contents that may go do, as for a fetch. Without it nothing goes.'
          })
        )
      }),
      status: 201,
      response: IngestReply,
      handle: async ({ request, query, requestId, signal }) => {
        // What cannot be published afterwards would be uploaded for nothing.
        lifecycle.require(['running'], 'take content')
        const wanted = { key: requestId, sizeBytes: query.roomFor ?? 0, what: 'the folder' }
        const context = { signal, progress: () => {} }
        const room = query.roomFor === undefined ? undefined : await collecting.makeRoom(wanted, context)
        try {
          const result = await receiveTar(request.raw, await content.beginIngest({ signal }))
          return { ...result, content: result.content.toString() }
        } finally {
          room?.end()
        }
      }
    }),
    route({
      method: 'POST',
      url: '/v1/packages',
      tag,
      summary: 'Publishes a signed release whose content is here, and announces it.',
      body: Type.Object({
        record: RecordText,
        library: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 128,
            description: 'Name of a library of this node; home unless given.'
          })
        ),
        wait: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_WAIT_PEERS })),
        timeoutMs: TimeoutMs
      }),
      status: 202,
      response: OperationReply,
      handle: ({ body, requestId }) => {
        lifecycle.require(['running'], 'publish')
        const { library, wait, timeoutMs } = body
        const work = {
          recordBytes: bytesOfRecord(body.record),
          timeoutMs:
            timeoutMs === undefined ? DEFAULT_ANNOUNCE_TIMEOUT_MS : Math.ceil(ANNOUNCE_SHARE * timeoutMs),
          ...(library === undefined ? {} : { library }),
          ...(wait === undefined ? {} : { wait })
        }
        return {
          operation: operations.start(
            'publish',
            requestId,
            context => publishing.publish(work, context),
            timeoutMs
          )
        }
      }
    }),
    route({
      method: 'GET',
      url: '/v1/contents/:cid/tar',
      tag,
      summary:
        'A content as a tar stream of verified bytes, with fetch=ID while that operation fetches it; the trailer x-catalog-status says how it ended.',
      params: Type.Object({ cid: Type.String({ minLength: 1, maxLength: 128 }) }),
      query: Type.Object({ fetch: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) }),
      produces: TAR_TYPE,
      handle: ({ params, query, reply, requestId, signal }) => {
        const cid = parseCid(params.cid)
        const tar =
          query.fetch === undefined
            ? content.exportTar(cid, signal)
            : content.exportArriving(cid, fetchOf(operations, query.fetch, cid), signal)
        return streams.send(reply, { requestId, type: TAR_TYPE }, tar)
      }
    })
  ]
}

/** Settles as the operation that fetches this content does. */
function fetchOf(operations: OperationManager, id: string, content: CID): Promise<void> {
  if (operations.get(id).release?.content !== content.toString())
    throw new CatalogError('INVALID_ARGUMENT', `the operation ${id} does not fetch ${content}`)
  return operations.done(id)
}

function queryRoutes({ releases }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/packages',
      tag,
      summary: 'The releases that this node holds, page by page.',
      query: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE })),
        after: Type.Optional(Type.String({ maxLength: 1024 }))
      }),
      response: Type.Object({ packages: Type.Array(ReleaseItem), next: Type.Optional(Type.String()) }),
      handle: ({ query }) => releases.list(query.limit ?? DEFAULT_PAGE, query.after)
    }),
    route({
      method: 'GET',
      url: '/v1/packages/:name',
      tag,
      summary: 'The releases of a name that this node knows, highest version first.',
      params: Type.Object({ name: Name }),
      response: VersionList,
      handle: async ({ params, signal }) => ({ versions: await releases.local(params.name, signal) })
    }),
    route({
      method: 'GET',
      url: '/v1/releases',
      tag,
      summary: 'One release: the highest version that matches.',
      query: Type.Object({
        spec: Spec,
        publisher: Type.Optional(Key),
        network: Type.Optional(Type.Boolean())
      }),
      response: ReleaseInfo,
      handle: ({ query, signal }) => releases.info({ ...query, network: query.network ?? false }, signal)
    }),
    route({
      method: 'GET',
      url: '/v1/versions',
      tag,
      summary: 'The versions of a name, here and (network=true) at peers.',
      query: Type.Object({ name: Name, network: Type.Optional(Type.Boolean()) }),
      response: VersionList,
      handle: async ({ query, signal }) => ({
        versions: await releases.versions(query.name, query.network ?? false, signal)
      })
    })
  ]
}

function pinRoutes({ releases }: NodeServices): Route[] {
  const params = Type.Object({ name: Name })
  return [
    route({
      method: 'GET',
      url: '/v1/pins/:name',
      tag,
      summary: 'The owner that a name is pinned to here.',
      params,
      response: Pin,
      handle: input => ({ name: input.params.name, owner: releases.pin(input.params.name) })
    }),
    route({
      method: 'PUT',
      url: '/v1/pins/:name',
      tag,
      summary: 'Pins a name to an owner, or accepts another one.',
      params,
      body: Type.Object({ owner: Key }),
      response: Pin,
      handle: async ({ params: { name }, body: { owner }, signal }) => {
        await releases.setPin(name, owner, signal)
        return { name, owner }
      }
    })
  ]
}

function retentionRoutes({ retention }: NodeServices): Route[] {
  const body = Type.Object({ spec: Spec, publisher: Type.Optional(Key) })
  return [
    route({
      method: 'PUT',
      url: '/v1/releases/pin',
      tag,
      summary: 'Keeps the content of a release whatever happens; it must be complete here.',
      body,
      response: ReleaseItem,
      handle: ({ body: { spec, publisher }, signal }) => retention.pin(spec, publisher, signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/releases/pin',
      tag,
      summary: 'Ends a pin: the content may go when room is needed.',
      query: body,
      response: ReleaseItem,
      handle: ({ query: { spec, publisher }, signal }) => retention.unpin(spec, publisher, signal)
    }),
    route({
      method: 'DELETE',
      url: '/v1/releases',
      tag,
      summary: 'Lets go of one release: its record at once, its bytes with the next collection.',
      query: body,
      response: ReleaseItem,
      handle: ({ query: { spec, publisher }, signal }) => retention.remove(spec, publisher, signal)
    })
  ]
}
