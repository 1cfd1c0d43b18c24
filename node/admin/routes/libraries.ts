import * as Type from 'typebox'
import { RECORD_LIMITS } from '../../../library/index.ts'
import {
  AccessName,
  DeletedLibrary,
  GroupList,
  GroupShape,
  LibraryList,
  OwnLibraryShape
} from '../../library-schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'libraries'
/** Longer than any name, so that the service can say what is wrong with one. */
const Name = Type.String({ minLength: 1, maxLength: 128 })
const params = Type.Object({ name: Name })
const Peers = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    maxItems: RECORD_LIMITS.accessMembers,
    description: 'Peer ids.'
  })
)
const Change = Type.Object({ joining: Peers, leaving: Peers })

/** The libraries of this node, and who may know of them. */
export function libraryRoutes({ libraries }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/libraries',
      tag,
      summary: 'The libraries of this node, and those of other nodes that copies are here of.',
      response: LibraryList,
      handle: ({ signal }) => libraries.list(signal)
    }),
    route({
      method: 'POST',
      url: '/v1/libraries',
      tag,
      summary: 'Makes a library, for everybody or for those whom its access list names.',
      body: Type.Object({
        name: Name,
        access: AccessName,
        group: Type.Optional(Name),
        members: Peers
      }),
      status: 201,
      response: OwnLibraryShape,
      handle: ({ body, signal }) => libraries.create(body, signal)
    }),
    route({
      method: 'GET',
      url: '/v1/libraries/:name',
      tag,
      summary: 'A library of this node.',
      params,
      response: OwnLibraryShape,
      handle: ({ params: { name } }) => libraries.show(name)
    }),
    route({
      method: 'DELETE',
      url: '/v1/libraries/:name',
      tag,
      summary: 'Deletes a library of this node, and forgets what no other library here has.',
      params,
      response: DeletedLibrary,
      handle: ({ params: { name }, signal }) => libraries.delete(name, signal)
    }),
    route({
      method: 'PUT',
      url: '/v1/libraries/:name/members',
      tag,
      summary: 'Changes whom a private or restricted library is for.',
      params,
      body: Change,
      response: OwnLibraryShape,
      handle: ({ params: { name }, body, signal }) => libraries.changeMembers(name, body, signal)
    }),
    route({
      method: 'GET',
      url: '/v1/groups',
      tag,
      summary: 'Groups of nodes that libraries are made for.',
      response: GroupList,
      handle: async ({ signal }) => ({ groups: await libraries.groups(signal) })
    }),
    route({
      method: 'PUT',
      url: '/v1/groups/:name/members',
      tag,
      summary: 'Changes who is in a group, and with it whom all libraries are for that are for the group.',
      params,
      body: Change,
      response: GroupShape,
      handle: ({ params: { name }, body, signal }) => libraries.changeGroup(name, body, signal)
    })
  ]
}
