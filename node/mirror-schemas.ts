/** The shapes of what a node holds for others, and plans to (schemas.ts). */
import * as Type from 'typebox'
import { MIRROR_ACCEPTS, MIRROR_STRATEGIES } from '../config/index.ts'
import { CAUSES } from '../mirror/index.ts'
import { count, ms, text } from './schema-fields.ts'

const orNull = <T extends Type.TSchema>(value: T) => Type.Union([value, Type.Null()])
const Named = { name: Type.String(), version: Type.String(), content: text('CID.') }

export const MirrorAction = Type.Object({
  kind: Type.Enum(['take', 'drop', 'offer', 'prove']),
  ...Named,
  owner: text('Public key.'),
  bytes: count('Transferred by a take or an offer, freed by a drop.'),
  cause: Type.Optional(Type.Enum([...CAUSES], { description: 'Of a take or a drop.' })),
  peers: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Who is asked to take it over, one after the other, or has to prove it.'
    })
  ),
  reason: text('In words.'),
  failed: Type.Optional(
    Type.Object({ code: text('Why it could not be taken the last time.'), retryAt: text('RFC 3339.') })
  )
})
export type MirrorAction = Type.Static<typeof MirrorAction>

export const MirrorPlanReply = Type.Object({
  actions: Type.Array(MirrorAction, { description: 'What matters most first.' }),
  heldBack: Type.Array(
    Type.Object({ ...Named, bytes: count(''), because: Type.Enum(['quota', 'owner', 'budget', 'actions']) }),
    { description: 'What should be taken and is not for now; the first hundred.' }
  ),
  nextAt: orNull(text('When it is planned again though nothing changes, RFC 3339.')),
  usedBytes: count('Held for others, or on its way.')
})
export type MirrorPlanReply = Type.Static<typeof MirrorPlanReply>

export const MirrorCopyShape = Type.Object({
  ...Named,
  bytes: count('Of the release.'),
  state: Type.Enum(['held', 'coming', 'wanted'], {
    description: '`wanted`: pinned or begun, and not under way now.'
  }),
  cause: orNull(Type.Enum([...CAUSES])),
  since: orNull(text('RFC 3339.')),
  isPinned: Type.Boolean(),
  holders: count('Other members that have proven that they hold it, and can be reached.')
})
export type MirrorCopyShape = Type.Static<typeof MirrorCopyShape>

export const MirrorStatus = Type.Object({
  isEnabled: Type.Boolean(),
  isMember: Type.Boolean({ description: 'Whether this node volunteers now.' }),
  isFrozen: Type.Boolean({ description: 'The network is split: nothing is taken or let go of.' }),
  draining: orNull(
    Type.Object({
      since: text('RFC 3339.'),
      left: orNull(
        count(
          'Contents here that too few others have proven to hold; the first thousand. null: not looked yet.'
        )
      ),
      isSafeToLeave: Type.Boolean({ description: 'Enough others hold what was here.' })
    })
  ),
  region: orNull(Type.String()),
  capacityClass: orNull(count('Logarithm to base 2 of the GiB it gives.')),
  members: count('Nodes that volunteer, this one included.'),
  policy: Type.Object({
    min: count(''),
    target: count(''),
    max: count(''),
    strategy: Type.Enum([...MIRROR_STRATEGIES]),
    accept: Type.Enum([...MIRROR_ACCEPTS]),
    graceMs: ms(''),
    quotaBytes: count('0 is no limit.'),
    repairBudgetBytes: count('An hour.')
  }),
  releases: Type.Object({
    known: count('Contents that are planned for.'),
    isFull: Type.Boolean({ description: 'There are more than are planned for.' })
  }),
  usedBytes: count('Held for others, or on its way.'),
  copies: Type.Array(MirrorCopyShape, { description: 'The first thousand.' }),
  copyCount: count('Of all.'),
  waitingProofs: count('Proofs of others that are asked for or waited for.'),
  planned: orNull(
    Type.Object({
      at: text('RFC 3339.'),
      actions: count(''),
      heldBack: count(''),
      nextAt: orNull(Type.String())
    })
  )
})
export type MirrorStatus = Type.Static<typeof MirrorStatus>

export const MirrorRunResult = Type.Object({
  taken: count('Copies that came.'),
  takenBytes: count(''),
  failed: count('Copies that could not be had; they are tried again.'),
  dropped: count('Copies that were let go of.'),
  droppedBytes: count(''),
  offered: count('Copies that others were asked to take over.'),
  heldBack: count('Copies that there is no room or budget for now.'),
  tookMs: ms('')
})
export type MirrorRunResult = Type.Static<typeof MirrorRunResult>
