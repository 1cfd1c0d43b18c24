/** The shapes of releases in JSON: items, details, what is said of them, and who else claims their name. */
import * as Type from 'typebox'
import { CONFLICT_STRATEGIES } from '../config/index.ts'
import { ACCESS_CLASSES } from '../library/index.ts'
import { count, text } from './schema-fields.ts'

export const Dependency = Type.Object({
  name: Type.String(),
  range: Type.String(),
  kind: Type.String(),
  platform: Type.Optional(Type.String()),
  features: Type.Optional(Type.Array(Type.String()))
})

/** What the owner says of a release. */
export const ReleaseStatus = Type.Object({
  status: Type.Enum(['published', 'deprecated', 'yanked', 'archived'], {
    description:
      'The last word of its owner: yanked is chosen only when it is named exactly, deprecated and archived warn.'
  }),
  reason: Type.Optional(text('Why, as the owner says.')),
  replacement: Type.Optional(text('What to use instead: a name, with or without @range.'))
})
export type ReleaseStatus = Type.Static<typeof ReleaseStatus>

export const ReleaseAccessName = Type.Enum(['public', ...ACCESS_CLASSES, 'closed'], {
  description:
    'Whom it is for, by the widest of the libraries of this node that have it; closed: it is known from a library of another node that is not for everybody.'
})
export type ReleaseAccessName = Type.Static<typeof ReleaseAccessName>

export const ReleaseItem = Type.Object({
  name: Type.String(),
  version: Type.String(),
  type: text('package, library, template, vm or container.'),
  publisher: text('Public key of the owner.'),
  id: text('CID of the record.'),
  content: text('CID of the content.'),
  sizeBytes: count('Sum of the sizes of all files.'),
  ...ReleaseStatus.properties,
  access: ReleaseAccessName,
  local: Type.Enum(['none', 'partial', 'complete']),
  kept: Type.Boolean({ description: 'Pinned with `catalog pin`: never let go of.' }),
  isBlocked: Type.Boolean({ description: 'By `catalog block` on this node.' })
})
export type ReleaseItem = Type.Static<typeof ReleaseItem>

export const StrategyName = Type.Enum([...CONFLICT_STRATEGIES])
const OutcomeName = Type.Enum(['sole', 'pinned', 'foreign', 'settled', 'merged', 'kept', 'open'], {
  description:
    'sole: one owner publishes the name; pinned: the pinned owner counts; foreign: only others claim it; settled: the strategy chose; merged: one content, words of all; kept: side by side; open: somebody has to decide.'
})

export const ReleaseConflict = Type.Object(
  {
    outcome: OutcomeName,
    strategy: StrategyName,
    claimants: Type.Array(Type.String(), { description: 'Public keys of all who claim this version.' })
  },
  {
    description:
      'When several owners claim this version: how it is looked at. With `merged`, the words are those of all of them.'
  }
)
export type ReleaseConflict = Type.Static<typeof ReleaseConflict>

/** What an operator has decided of a name or a scope, or what holds for it. */
export const ConflictRule = Type.Object({
  name: text('A name, or a @scope.'),
  strategy: StrategyName,
  origin: Type.Enum(['node', 'config'], {
    description: 'node: set with `catalog conflicts resolve`; config: from the configuration.'
  }),
  subject: Type.Optional(
    text('The name or @scope that the strategy is set for; absent for the one for all.')
  ),
  pinned: Type.Union([Type.String(), Type.Null()], { description: 'Owner that the name is pinned to here.' })
})
export type ConflictRule = Type.Static<typeof ConflictRule>

export const ConflictItem = Type.Object({
  ...ConflictRule.properties,
  outcome: OutcomeName,
  equivocated: Type.Boolean({ description: 'Whether an owner signed several contents as one version.' }),
  owners: count('Who publish the name.'),
  versions: Type.Array(Type.String(), {
    description: 'Versions that several claim, or with several contents; the first 20.'
  })
})
export type ConflictItem = Type.Static<typeof ConflictItem>

const Claimant = Type.Object({
  publisher: text('Public key of the owner.'),
  pinned: Type.Boolean({ description: 'Whether the name is pinned to it here.' }),
  weight: Type.Number({ description: 'Of all whose attestations count here.' }),
  claims: Type.Array(
    Type.Object({
      version: Type.String(),
      id: text('CID of the record.'),
      content: text('CID of the content.'),
      sizeBytes: count('Sum of the sizes of all files.'),
      publishedAt: Type.String(),
      sequence: count('The larger one is the newer record.'),
      ...ReleaseStatus.properties,
      counts: Type.Boolean({ description: 'Whether this is what the version means here.' }),
      equivocated: Type.Boolean({
        description: 'The owner signed several contents as this version: none is installed.'
      }),
      attestations: Type.Array(
        Type.Object({
          signer: Type.String(),
          statement: Type.String(),
          weight: Type.Number({ description: 'What the key weighs here.' })
        })
      )
    })
  )
})
export type Claimant = Type.Static<typeof Claimant>

export const Conflict = Type.Object({ ...ConflictItem.properties, claimants: Type.Array(Claimant) })
export type Conflict = Type.Static<typeof Conflict>

export const ReleaseInfo = Type.Object({
  ...ReleaseItem.properties,
  libraries: Type.Array(Type.String(), {
    description: 'Addresses of the libraries that have it, those of this node first.'
  }),
  expiredAt: Type.Optional(
    text('RFC 3339: since when all libraries that have it may be out of date; a yank may be missing.')
  ),
  statusSequence: Type.Optional(count('Of the owner’s last status: a new one needs a larger one.')),
  attestations: Type.Array(
    Type.Object({
      signer: text('Public key of who says so.'),
      statement: text('A word such as approved, built or tested.'),
      holds: Type.Boolean({ description: 'False when the signer has taken it back.' }),
      sequence: count('A newer one needs a larger one.')
    }),
    { description: 'What is said of it by anybody, as far as it is known here.' }
  ),
  files: count('Number of files.'),
  publishedAt: Type.String(),
  signer: text('Public key that signed; equal to the publisher until there is delegation.'),
  pinned: Type.Boolean({ description: 'Whether the name is pinned to this owner here.' }),
  description: Type.Optional(Type.String()),
  keywords: Type.Optional(Type.Array(Type.String())),
  categories: Type.Optional(Type.Array(Type.String())),
  licence: Type.Optional(Type.String()),
  authors: Type.Optional(Type.Array(Type.String())),
  links: Type.Optional(Type.Record(Type.String(), Type.String())),
  entryPoint: Type.Optional(Type.String()),
  dependencies: Type.Optional(Type.Array(Dependency)),
  conflict: Type.Optional(ReleaseConflict),
  unresolved: Type.Optional(
    Type.Array(Dependency, {
      description:
        'Dependencies in forms of npm that are no name with a range (git, file:), as the publisher stated them.'
    })
  ),
  requirements: Type.Optional(Type.Record(Type.String(), Type.String()))
})
export type ReleaseInfo = Type.Static<typeof ReleaseInfo>

export const VersionList = Type.Object({ versions: Type.Array(ReleaseItem) })
