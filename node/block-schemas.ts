/** The shapes of what an operator keeps away from a node. */
import * as Type from 'typebox'
import { count, text } from './schema-fields.ts'

/** Longer than any name with a range. */
const MAX_SUBJECT_CHARS = 512

export const BlockSubject = Type.String({
  minLength: 1,
  maxLength: MAX_SUBJECT_CHARS,
  description: 'Public key of an owner, NAME, NAME@RANGE, or the CID of a record or content.'
})

export const BlockedShape = Type.Object({
  subject: BlockSubject,
  reason: Type.Optional(Type.String()),
  blockedAt: text('RFC 3339.')
})
export type BlockedShape = Type.Static<typeof BlockedShape>

export const BlocksReply = Type.Object({ blocks: Type.Array(BlockedShape) })
export type BlocksReply = Type.Static<typeof BlocksReply>

export const BlockResult = Type.Object({
  subject: BlockSubject,
  reason: Type.Optional(Type.String()),
  blockedAt: Type.Optional(text('RFC 3339; absent with dryRun.')),
  isDryRun: Type.Boolean(),
  dropped: Type.Object(
    {
      releases: count('Releases that left the libraries of this node.'),
      contents: count('Contents that were let go of, pinned or not.'),
      sizeBytes: count('Of the contents.')
    },
    { description: 'What went of what was here, or would.' }
  )
})
export type BlockResult = Type.Static<typeof BlockResult>
