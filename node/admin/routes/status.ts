import * as Type from 'typebox'
import { DoctorCheck, Identity, StateName, Status } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'node'
const StateReply = Type.Object({ state: StateName })

export function statusRoutes(services: NodeServices): Route[] {
  const { status, lifecycle, pause } = services
  return [
    route({
      method: 'GET',
      url: '/v1/status',
      tag,
      summary: 'State, health, sizes and rates of the node.',
      response: Status,
      handle: () => status.status()
    }),
    route({
      method: 'GET',
      url: '/v1/id',
      tag,
      summary: 'Who the node is and where it listens.',
      response: Identity,
      handle: () => status.identity()
    }),
    route({
      method: 'POST',
      url: '/v1/pause',
      tag,
      summary: 'Stops serving peers and background work; this socket stays.',
      response: StateReply,
      handle: async () => {
        await pause.pause()
        return { state: lifecycle.state }
      }
    }),
    route({
      method: 'POST',
      url: '/v1/resume',
      tag,
      summary: 'Ends a pause.',
      response: StateReply,
      handle: async () => {
        await pause.resume()
        return { state: lifecycle.state }
      }
    }),
    route({
      method: 'GET',
      url: '/v1/doctor',
      tag,
      summary: 'Checks the node and its surroundings and says what to do.',
      query: Type.Object({
        full: Type.Optional(Type.Boolean({ description: 'Hash every block of the store, not a sample.' }))
      }),
      response: Type.Object({ checks: Type.Array(DoctorCheck) }),
      handle: async ({ query: { full = false }, signal }) => ({
        checks: await services.doctor.run(full, signal)
      })
    })
  ]
}
