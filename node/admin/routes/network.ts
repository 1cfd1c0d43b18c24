import * as Type from 'typebox'
import { expectRate, MAX_BURST_BYTES, MIN_RATE_BYTES } from '../../../protocols/index.ts'
import {
  BanShape,
  LimitedPeer,
  PeerDetail,
  PeerList,
  PeerShape,
  RoutingStrategyName,
  TopologyReply
} from '../../schemas.ts'
import { MAX_REASON_CHARS } from '../../services/blocking.ts'
import { isOnlyLocal } from '../../services/doctor.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'network'
const PeerId = Type.Object({ peerId: Type.String({ minLength: 1, maxLength: 128 }) })
const RateOf = (what: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      description: `Bytes a second ${what}, at least ${MIN_RATE_BYTES}; 0 is no limit; as configured unless given.`
    })
  )

export function networkRoutes(services: NodeServices): Route[] {
  const { lifecycle, peers } = services
  return [
    route({
      method: 'GET',
      url: '/v1/peers',
      tag,
      summary: 'Connected peers, others that have limits of their own, and those that are banned.',
      response: PeerList,
      handle: () => peers.list()
    }),
    route({
      method: 'POST',
      url: '/v1/peers',
      tag,
      summary: 'Connects to a peer.',
      body: Type.Object({ address: Type.String({ minLength: 1, maxLength: 512 }) }),
      response: PeerShape,
      handle: ({ body, signal }) => {
        lifecycle.require(['running'], 'connect to peers')
        return peers.connect(body.address, signal)
      }
    }),
    route({
      method: 'DELETE',
      url: '/v1/peers/:peerId',
      tag,
      summary: 'Disconnects from a peer.',
      params: PeerId,
      response: Type.Object({ peerId: Type.String() }),
      handle: async ({ params }) => {
        await peers.disconnect(params.peerId)
        return { peerId: params.peerId }
      }
    }),
    route({
      method: 'GET',
      url: '/v1/peers/:peerId',
      tag,
      summary: 'How a peer stands with this node, and why; it need not be connected.',
      params: PeerId,
      response: PeerDetail,
      handle: ({ params, signal }) => peers.show(params.peerId, signal)
    }),
    ...limitRoutes(services),
    ...banRoutes(services),
    route({
      method: 'GET',
      url: '/v1/topology',
      tag,
      summary:
        'The network as it is seen from here: what was measured of peers, their health, and whom a strategy asks first.',
      query: Type.Object({ strategy: Type.Optional(RoutingStrategyName) }),
      response: TopologyReply,
      handle: ({ query }) => services.topology.show(query.strategy)
    }),
    route({
      method: 'POST',
      url: '/v1/invites',
      tag,
      summary: 'Makes a string that lets another node join.',
      response: Type.Object({
        invite: Type.String(),
        warning: Type.Optional(Type.String({ description: 'Why it may be of no use to others.' }))
      }),
      handle: () => {
        const invite = services.invite()
        if (!isOnlyLocal(services.status.identity().addresses)) return { invite }
        return {
          invite,
          warning: 'this node is reachable only from this machine, so the invite is of use only here'
        }
      }
    })
  ]
}

function limitRoutes({ peers }: NodeServices): Route[] {
  return [
    route({
      method: 'PUT',
      url: '/v1/peers/:peerId/limits',
      tag,
      summary: 'Limits what is sent to a peer and fetched from it: at once, and after restarts.',
      params: PeerId,
      body: Type.Object({
        up: RateOf('sent to it'),
        down: RateOf('fetched from it'),
        burst: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MAX_BURST_BYTES,
            description: 'Bytes that may go at once before a rate holds; `limits.burst` unless given.'
          })
        )
      }),
      response: LimitedPeer,
      handle: ({ params, body, signal }) => {
        for (const rate of [body.up, body.down]) if (rate !== undefined) expectRate(rate)
        return peers.limit(params.peerId, body, signal)
      }
    }),
    route({
      method: 'DELETE',
      url: '/v1/peers/:peerId/limits',
      tag,
      summary: 'Lets what is configured hold for a peer again.',
      params: PeerId,
      response: LimitedPeer,
      handle: ({ params, signal }) => peers.limit(params.peerId, undefined, signal)
    })
  ]
}

function banRoutes({ peers }: NodeServices): Route[] {
  const url = '/v1/peers/:peerId/ban'
  return [
    route({
      method: 'PUT',
      url,
      tag,
      summary:
        'Refuses connections with a peer both ways and closes those that are open: at once, and after restarts.',
      params: PeerId,
      body: Type.Object({
        reason: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_REASON_CHARS }))
      }),
      response: BanShape,
      handle: ({ params, body, signal }) => peers.ban(params.peerId, body.reason, signal)
    }),
    route({
      method: 'DELETE',
      url,
      tag,
      summary: 'Lets a banned peer in again.',
      params: PeerId,
      response: BanShape,
      handle: ({ params, signal }) => peers.unban(params.peerId, signal)
    })
  ]
}
