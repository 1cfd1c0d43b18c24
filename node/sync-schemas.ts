/** The shapes of what a node tells about libraries that it follows. */
import * as Type from 'typebox'
import { CONTENT_POLICIES, SYNC_MODES } from '../config/index.ts'
import { PACKAGE_TYPES } from '../library/index.ts'
import { count, ms, text } from './schema-fields.ts'

export const HeadShape = Type.Object({
  epoch: count('Of the writer; a later one begins when its home was restored.'),
  revision: count('Grows with each head.'),
  expires: text('RFC 3339; past it the library may be out of date.')
})

const LibraryName = text('Its name there: home, unless it is another one.')
export const Address = text(
  'Both as people write them: PEERID, or PEERID/NAME for another one than the home.'
)

export const SyncResult = Type.Object({
  peerId: text('The peer that was asked.'),
  library: text('Id of the library, 64 hexadecimal digits.'),
  writer: text('Peer id of the node whose library it is.'),
  name: LibraryName,
  state: Type.Enum(['equal', 'updated', 'behind'], {
    description:
      'equal: the copy here is what the peer has; updated: it was made so (or would be, with dryRun); behind: the peer has an earlier state than this node knows of, and nothing was taken.'
  }),
  way: Type.Optional(
    Type.Enum(['log', 'sketch', 'descent', 'stream'], {
      description:
        'How differences became known: log: the writer told what it had changed; sketch; descent: the tries were compared; stream: everything was listed. Of several the last; absent when there were none.'
    })
  ),
  dryRun: Type.Boolean(),
  received: count('Records that came, or would come.'),
  removed: count('Records that went or were replaced.'),
  sent: count('Records that went to the peer: none, as a library is its writer’s alone.'),
  records: count('Records of the copy now.'),
  bytesIn: count('Bytes of the session that came, records included.'),
  bytesOut: count('Bytes that were sent.'),
  roundTrips: count('Turns that the peer has answered.'),
  root: text('Root of the copy here, in hexadecimal digits.'),
  peerRoot: text('Root that the peer has shown, with the head that says so.'),
  head: HeadShape,
  joined: Type.Optional(
    count(
      'Only with mode union: records that joined the home library of this node; with dryRun, those of the copy that is here already that would.'
    )
  ),
  content: Type.Optional(
    Type.Object(
      {
        fetched: count('Releases whose content came.'),
        failed: count('Releases whose content could not be had; after 16 the rest is left.'),
        bytesFetched: count('Bytes that came.')
      },
      { description: 'Only when content was asked for.' }
    )
  ),
  tookMs: ms('How long it took.')
})
export type SyncResult = Type.Static<typeof SyncResult>

export const FollowedLibrary = Type.Object({
  library: text('Id of the library, 64 hexadecimal digits.'),
  writer: text('Peer id of the node whose library it is.'),
  name: LibraryName,
  address: Address,
  access: Type.Enum(['public', 'closed'], {
    description: 'closed: not for everybody; it is shown on to those only whom its access list names.'
  }),
  records: count('Records of the copy here.'),
  root: text('Root of the copy here, in hexadecimal digits.'),
  head: Type.Union([HeadShape, Type.Null()], { description: 'The head that the copy is equal to.' }),
  isExpired: Type.Boolean({ description: 'The head no longer holds: newer records may be missing.' }),
  syncedAt: Type.Union([Type.String(), Type.Null()], {
    description: 'When the copy was last found equal to a head, RFC 3339.'
  })
})
export type FollowedLibrary = Type.Static<typeof FollowedLibrary>

export const FollowShape = Type.Object({
  writer: text('Peer id of the node whose library it is.'),
  name: LibraryName,
  address: Address,
  content: Type.Enum(CONTENT_POLICIES, { description: 'Which content comes with it.' }),
  mode: Type.Enum(SYNC_MODES, { description: 'union: it joins the home library of this node too.' }),
  type: Type.Optional(
    Type.Enum(PACKAGE_TYPES, {
      description: 'Only of releases of this type content comes, and only these join home.'
    })
  ),
  tag: Type.Optional(text('The same of releases with this keyword; with several of these, all hold.')),
  category: Type.Optional(text('The same of releases of this category.')),
  prefix: Type.Optional(text('The same of names that begin so.')),
  publisher: Type.Optional(text('The same of releases of the owner with this public key.')),
  state: Type.Enum(['waiting', 'running', 'failing']),
  nextAt: Type.Optional(
    text('When it is compared next, whatever peers tell; RFC 3339. Absent while it is, or is about to be.')
  ),
  error: Type.Optional(text('Code of the last failure, while it fails.'))
})
export type FollowShape = Type.Static<typeof FollowShape>

export const Unfollowed = Type.Object({
  writer: text('Peer id of the node whose library it is.'),
  name: LibraryName,
  address: Address,
  hadCopy: Type.Boolean({ description: 'Whether a copy was here, which was let go of.' })
})
export type Unfollowed = Type.Static<typeof Unfollowed>

export const SyncStatus = Type.Object({
  libraries: Type.Array(FollowedLibrary, { description: 'Copies that are here.' }),
  follows: Type.Array(FollowShape, { description: 'What sync.follow says.' })
})
export type SyncStatus = Type.Static<typeof SyncStatus>
