import Type from 'typebox'
import { PeerShape } from '../../schemas.ts'
import { isOnlyLocal } from '../../services/doctor.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'network'

export function networkRoutes(services: NodeServices): Route[] {
  const { lifecycle, peers } = services
  return [
    route({
      method: 'GET',
      url: '/v1/peers',
      tag,
      summary: 'Connected peers.',
      response: Type.Object({ peers: Type.Array(PeerShape) }),
      handle: async () => ({ peers: await peers.list() })
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
      params: Type.Object({ peerId: Type.String({ minLength: 1, maxLength: 128 }) }),
      response: Type.Object({ peerId: Type.String() }),
      handle: async ({ params }) => {
        await peers.disconnect(params.peerId)
        return { peerId: params.peerId }
      }
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
