/** The shapes of partitions as a node tells them (schemas.ts). */
import * as Type from 'typebox'
import { PARTITION_STATES } from '../topology/index.ts'
import { count, ms, text } from './schema-fields.ts'

const PartitionReportShape = Type.Object({
  kind: Type.Enum(['partitioned', 'offline']),
  since: text('RFC 3339: when peers were lost.'),
  noticedAfterMs: ms('From then until the node knew.'),
  lastedMs: ms('From the loss until the first peer was back.'),
  healedInMs: ms('From then until all that had waited was done.'),
  lostPeers: count('Peers that were lost.'),
  returnedPeers: count('Of them, those that were back by the end.'),
  syncedLibraries: count('Followed libraries that were compared and are equal.'),
  replayedOperations: count('Queued operations that were done.')
})

export const PartitionShape = Type.Object(
  {
    state: Type.Enum([...PARTITION_STATES]),
    since: text('RFC 3339: when peers were lost, or since when it is so.'),
    lost: count('Peers that are lost now.'),
    of: count('Peers that were connected before, or are now.'),
    isCutOff: Type.Boolean({ description: 'Whether nobody is connected.' }),
    isFrozen: Type.Boolean({
      description: 'Whether what is made anew for peers that are gone waits for them.'
    }),
    reasons: Type.Array(Type.String()),
    last: Type.Union([PartitionReportShape, Type.Null()], {
      description: 'What became of the last partition since the start.'
    })
  },
  {
    description:
      '`whole`; `suspected` while others are asked; `partitioned`; `offline` when nobody is left of one or two peers; `healing` while what waited is done.'
  }
)
export type PartitionShape = Type.Static<typeof PartitionShape>
