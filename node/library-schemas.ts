/** The shapes of what a node tells about its libraries, those that it follows, and who may know of them. */
import * as Type from 'typebox'
import { ACCESS_CLASSES } from '../library/index.ts'
import { count, text } from './schema-fields.ts'
import { Address, FollowedLibrary, HeadShape } from './sync-schemas.ts'

export const AccessName = Type.Enum(['public', ...ACCESS_CLASSES], {
  description:
    'public: for everybody; restricted: for nodes that are named; private: the same, for the nodes of one owner; friends: for the nodes of a group.'
})

const Members = Type.Array(Type.String(), {
  description: 'Peer ids of the nodes that may know of it, beside this one.'
})
const ListExpires = Type.Union([Type.String(), Type.Null()], {
  description:
    'Until when the access list holds, RFC 3339; past it those on it are refused. Null of a public library, and without a list.'
})

export const OwnLibraryShape = Type.Object({
  name: Type.String(),
  library: text('Id of the library, 64 hexadecimal digits.'),
  address: Address,
  access: AccessName,
  group: Type.Optional(text('Of `friends`: whose nodes it is for.')),
  members: Type.Optional(Members),
  releases: count('Releases in it.'),
  records: count('Records in it: releases, what is said of them, and the access list.'),
  root: Type.Union([Type.String(), Type.Null()], {
    description: 'Root over its records, in hexadecimal digits; null when it is damaged.'
  }),
  head: Type.Union([HeadShape, Type.Null()], {
    description: 'What this node signed of it last; null before it has a record.'
  }),
  isExpired: Type.Boolean({ description: 'The head no longer holds.' }),
  listExpires: ListExpires
})
export type OwnLibraryShape = Type.Static<typeof OwnLibraryShape>

export const DeletedLibrary = Type.Object({
  name: Type.String(),
  address: Address,
  releases: count('Releases that it had.')
})
export type DeletedLibrary = Type.Static<typeof DeletedLibrary>

export const KnownLibraryShape = Type.Object({
  ...FollowedLibrary.properties,
  isAdmitted: Type.Boolean({
    description: 'Whether the copy still says that this node may know of the library.'
  }),
  listExpires: ListExpires
})
export type KnownLibraryShape = Type.Static<typeof KnownLibraryShape>

export const LibraryList = Type.Object({
  own: Type.Array(OwnLibraryShape, { description: 'Of this node.' }),
  followed: Type.Array(KnownLibraryShape, { description: 'Of other nodes: copies that are here.' })
})
export type LibraryList = Type.Static<typeof LibraryList>

export const GroupShape = Type.Object({
  name: Type.String(),
  members: Type.Array(Type.String(), { description: 'Peer ids.' }),
  libraries: Type.Array(Type.String(), {
    description: 'Names of the libraries of this node that are for it.'
  })
})
export type GroupShape = Type.Static<typeof GroupShape>

export const GroupList = Type.Object({ groups: Type.Array(GroupShape) })
export type GroupList = Type.Static<typeof GroupList>
