/**
 * The shapes of what a node tells about itself, in JSON: one schema each, which types the services, validates and
 * documents the admin API. Sizes in bytes, times in milliseconds, instants in RFC 3339, ids as strings. Fields may be
 * added, never renamed.
 */
import * as Type from 'typebox'
import { AlertShape } from './alert-schemas.ts'
import { AnomalyShape } from './anomaly-schemas.ts'
import { NODE_STATES } from './lifecycle.ts'
import { OPERATION_STATES } from './operations.ts'
import { PartitionShape } from './partition-schemas.ts'
import { Dependency, ReleaseAccessName, ReleaseItem, ReleaseStatus } from './release-schemas.ts'
import { count, ms, text } from './schema-fields.ts'
import { BanShape, PeerStanding } from './standing-schemas.ts'
import { TunedShape } from './tuning-schemas.ts'

export * from './alert-schemas.ts'
export * from './anomaly-schemas.ts'
export * from './block-schemas.ts'
export * from './bundle-schemas.ts'
export * from './library-schemas.ts'
export * from './log-schemas.ts'
export * from './mirror-schemas.ts'
export * from './partition-schemas.ts'
export * from './queue-schemas.ts'
export * from './release-schemas.ts'
export * from './standing-schemas.ts'
export * from './store-schemas.ts'
export * from './sync-schemas.ts'
export * from './topology-schemas.ts'
export * from './tuning-schemas.ts'

export const ErrorObject = Type.Object({
  code: text('Stable name of the error, see docs/errors.md.'),
  message: Type.String(),
  hint: text('What to do about it.'),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  requestId: Type.Optional(text('Also in x-request-id and in the log lines of the request.'))
})

export const ErrorResponse = Type.Object({ error: ErrorObject })

export const StateName = Type.Enum(NODE_STATES)

export const Status = Type.Object({
  state: StateName,
  health: Type.Object({
    score: Type.Number({ minimum: 0, maximum: 1, description: '1 = all is well.' }),
    reasons: Type.Array(Type.String())
  }),
  alerts: Type.Array(AlertShape, { description: 'What an operator must act on, the oldest first.' }),
  anomalies: Type.Array(AnomalyShape, { description: 'What is other than usual, the oldest first.' }),
  tuned: Type.Array(TunedShape, {
    description: 'Settings that are other than configured now, because `tuning.auto` has turned them.'
  }),
  uptimeMs: ms('Since the daemon was ready.'),
  peers: count('Connected peers.'),
  partition: PartitionShape,
  reachability: Type.Object(
    {
      state: Type.Enum(['direct', 'relayed', 'unreachable', 'unknown', 'local']),
      relays: Type.Array(Type.String(), {
        description: 'Peer ids of the relays through which it can be reached.'
      })
    },
    {
      description:
        'Whether peers can dial this node: `direct`, `relayed` (through a relay), `unreachable` (neither), `unknown` (nobody has tried its public address), `local` (all its addresses and peers are of the local network).'
    }
  ),
  library: Type.Object({
    root: Type.Union([Type.String(), Type.Null()], {
      description: 'Root of the trie over the home library, in hexadecimal digits; null when it is damaged.'
    }),
    revision: count('Grows with each change of the home library.'),
    releases: count('Releases published here; GET /v1/packages lists those held from others too.')
  }),
  store: Type.Object({
    bytes: count('Bytes of all segment files.'),
    quotaBytes: count('The most they may be.'),
    chunks: count('Distinct blocks.'),
    contents: count('Contents that are here whole, of releases published here and of others.'),
    damaged: count('Contents that were whole and lack a block now; `catalog verify --all` names them.'),
    lastScrub: Type.Union(
      [Type.Object({ endedAt: text('RFC 3339.'), corrupt: count('Damaged blocks it found.') }), Type.Null()],
      { description: 'The last whole check of everything at rest; null before there was one.' }
    )
  }),
  memory: Type.Object({ rssBytes: count('Resident memory of the daemon.') }),
  queues: Type.Record(Type.String(), Type.Integer(), { description: 'Lengths of what waits, by name.' }),
  rates: Type.Record(Type.String(), Type.Number(), {
    description: 'Bytes per second since the status was last asked for, by name.'
  }),
  limits: Type.Object(
    {
      up: count('Bytes a second sent to all peers together; 0 is no limit.'),
      down: count('Bytes a second fetched from all together; 0 is no limit.')
    },
    {
      description:
        'What holds now, windows of time included; for public addresses only unless `limits.private` is true.'
    }
  ),
  version: Type.String()
})
export type Status = Type.Static<typeof Status>

export const Identity = Type.Object({
  peerId: Type.String(),
  publicKey: text('The node key, as `ed25519:` and base32.'),
  addresses: Type.Array(text('Multiaddr with /p2p/.'))
})
export type Identity = Type.Static<typeof Identity>

export const IngestReply = Type.Object({
  content: text('CID of the content.'),
  sizeBytes: count('Sum of the sizes of all files.'),
  files: count('Number of files.'),
  newBytes: count('Bytes that were not in the store before.')
})

export const PublishResult = Type.Object({
  name: Type.String(),
  version: Type.String(),
  id: text('CID of the record.'),
  content: text('CID of the content.'),
  sizeBytes: count('Sum of the sizes of all files.'),
  files: count('Number of files.'),
  library: text('Name of the library of this node that it went into.'),
  access: ReleaseAccessName,
  warning: Type.Optional(
    text('What keeps other nodes from getting it from the library; absent when nothing does.')
  ),
  announcedTo: count(
    'Peers that hold the announcement; 0 when it is not public, as nothing is announced then.'
  )
})
export type PublishResult = Type.Static<typeof PublishResult>

export const FetchedRelease = Type.Object({
  id: text('CID of the record.'),
  name: Type.String(),
  version: Type.String(),
  content: Type.String(),
  sizeBytes: count('Sum of the sizes of all files.'),
  files: count('Number of files.'),
  owner: text('Public key of the owner.'),
  ...ReleaseStatus.properties,
  dependencies: Type.Array(Dependency),
  unresolved: Type.Array(Dependency, {
    description: 'Dependencies in forms of npm that are no name with a range (git, file:).'
  })
})
export type FetchedRelease = Type.Static<typeof FetchedRelease>

export const FetchResult = Type.Object({
  ...FetchedRelease.properties,
  bytesFetched: count('Bytes that came from peers.'),
  bytesReused: count('Bytes that were here already.'),
  sources: Type.Array(Type.Object({ peerId: Type.String(), bytes: count('Bytes that came from it.') })),
  tookMs: ms('From the request to the last verified byte.')
})
export type FetchResult = Type.Static<typeof FetchResult>

export const Progress = Type.Object({
  phase: Type.String(),
  bytesDone: Type.Optional(Type.Number()),
  bytesTotal: Type.Optional(Type.Number()),
  itemsDone: Type.Optional(Type.Number()),
  itemsTotal: Type.Optional(Type.Number()),
  sources: Type.Optional(
    Type.Array(Type.Object({ peerId: Type.String(), bytes: Type.Number() }), {
      description: 'Of a fetch: what each peer has sent so far, as on the wire.'
    })
  )
})

export const OperationShape = Type.Object({
  id: Type.String(),
  kind: text('publish, fetch, verify, gc, repair or copy.'),
  state: Type.Enum(OPERATION_STATES),
  progress: Progress,
  release: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'Of a fetch: which release it is, as soon as that is known; the fields of its result that say so.'
    })
  ),
  result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  error: Type.Optional(Type.Unknown({ description: 'As in an error response.' })),
  startedAt: Type.String(),
  endedAt: Type.Optional(Type.String()),
  requestId: Type.String()
})

export const OperationReply = Type.Object({ operation: OperationShape })

const FetchFailed = Type.Object({
  version: Type.Optional(text('Absent when it was not known yet which was meant.')),
  code: Type.String(),
  message: Type.String(),
  at: text('RFC 3339.'),
  ageMs: ms('Since then.')
})

export const Why = Type.Object({
  spec: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  releases: Type.Array(ReleaseItem),
  holders: Type.Array(
    Type.Object({
      peerId: Type.String(),
      source: text('local, peer or dht.'),
      ageMs: Type.Optional(ms('Age of the claim.')),
      lastDial: Type.Optional(Type.String()),
      lastError: Type.Optional(Type.String())
    })
  ),
  lastFetch: Type.Optional(OperationShape),
  failures: Type.Array(FetchFailed, { description: 'The last failed fetch of each release, newest first.' }),
  sourceFailures: Type.Array(Type.Object({ peerId: Type.String(), ...FetchFailed.properties }), {
    description: 'The last failure of each peer as a source of a release, newest first.'
  }),
  skipped: Type.Array(
    Type.Object({
      peerId: Type.String(),
      reason: text('Its last failure.'),
      forMs: ms('For so much longer.')
    }),
    { description: 'Peers that failed repeatedly and are not asked for a while.' }
  ),
  local: Type.String(),
  problem: Type.Optional(
    text('Code of the error with which a fetch of it would fail now, when nothing is found.')
  ),
  reasons: Type.Array(Type.String())
})
export type Why = Type.Static<typeof Why>

export const Pin = Type.Object({ name: Type.String(), owner: text('Public key of the owner.') })

export const PeerLimitsShape = Type.Object({
  up: count('Bytes a second sent to it; 0 is no limit.'),
  down: count('Bytes a second fetched from it; 0 is no limit.'),
  burst: count('Bytes that may go at once before a rate holds.'),
  isSet: Type.Boolean({
    description: 'Whether they were set for this peer; else they follow from `limits.*`.'
  })
})
export type PeerLimitsShape = Type.Static<typeof PeerLimitsShape>

export const LimitedPeer = Type.Object({ peerId: Type.String(), limits: PeerLimitsShape })
export type LimitedPeer = Type.Static<typeof LimitedPeer>

export const PeerShape = Type.Object({
  peerId: Type.String(),
  addresses: Type.Array(Type.String()),
  direction: Type.String(),
  rttMs: Type.Union([Type.Number(), Type.Null()]),
  agent: Type.Union([Type.String(), Type.Null()], {
    description: 'The program and version that it says it is; null until it has said so.'
  }),
  health: Type.Number({ description: '0 to 1; `catalog topology` gives the reasons.' }),
  score: Type.Number({ description: '0 to 1, one half for who is new; `catalog peers show` says why.' }),
  limits: PeerLimitsShape
})
export type PeerShape = Type.Static<typeof PeerShape>

export const PeerList = Type.Object({
  peers: Type.Array(PeerShape),
  limited: Type.Array(LimitedPeer, { description: 'Peers with limits of their own that are not connected.' }),
  banned: Type.Array(BanShape, { description: 'Peers that the operator has banned, the last one first.' })
})
export type PeerList = Type.Static<typeof PeerList>

export const PeerDetail = Type.Object({
  ...PeerStanding.properties,
  connection: Type.Union([PeerShape, Type.Null()], { description: 'Null while it is not connected.' }),
  limits: PeerLimitsShape
})
export type PeerDetail = Type.Static<typeof PeerDetail>

export const ConfigReply = Type.Object({
  values: Type.Array(
    Type.Object({
      key: Type.String(),
      value: Type.Unknown(),
      origin: text('default, profile, file, environment or flag.'),
      pending: Type.Optional(text('What it will be after the next start, when that is something else.')),
      unit: Type.Optional(Type.String()),
      description: Type.String()
    })
  ),
  warnings: Type.Array(Type.String())
})
export type ConfigReply = Type.Static<typeof ConfigReply>

export const ConfigChange = Type.Object({
  key: Type.String(),
  value: Type.Unknown({ description: 'In force, or from the next start on.' }),
  restartNeeded: Type.Boolean(),
  overriddenBy: Type.Optional(
    Type.String({
      description:
        'flag, or env: and the name of a variable: the value comes from there, and the change of the file has no effect as long as that is set.'
    })
  )
})
export type ConfigChange = Type.Static<typeof ConfigChange>

export const CheckLevel = Type.Enum(['ok', 'warn', 'error'])
export const DoctorCheck = Type.Object({
  name: Type.String(),
  ok: Type.Boolean(),
  level: CheckLevel,
  message: Type.String(),
  hint: Type.Optional(Type.String())
})
export type DoctorCheck = Type.Static<typeof DoctorCheck>
