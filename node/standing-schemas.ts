/** The shapes of what a node tells about how a peer stands with it. */
import * as Type from 'typebox'
import { count, ms, text } from './schema-fields.ts'

const timeOr = (description: string) => Type.Union([Type.String(), Type.Null()], { description })
const amount = (description: string) => Type.Number({ minimum: 0, description })

export const BanShape = Type.Object({
  peerId: Type.String(),
  bannedAt: text('RFC 3339.'),
  reason: Type.Optional(Type.String())
})
export type BanShape = Type.Static<typeof BanShape>

export const LedgerShape = Type.Object({
  since: timeOr('When something was first measured, RFC 3339; null when nothing was.'),
  sentBytes: count('Content that it took from this node in all.'),
  receivedBytes: count('Content that it gave to this node in all, verified.'),
  ratio: Type.Union([Type.Number(), Type.Null()], {
    description: 'What it gave over what it took, in all; null when it took nothing.'
  }),
  recent: Type.Object(
    {
      sentBytes: amount('Bytes.'),
      receivedBytes: amount('Bytes.'),
      transfers: amount('Fetches in which it brought something.'),
      failures: amount('Fetches in which it failed.'),
      violations: amount('What it did against the protocols.')
    },
    { description: 'What counts: the same, halved with each `incentives.halfLife`.' }
  )
})

export const PeerStanding = Type.Object({
  peerId: Type.String(),
  score: Type.Number({
    description: '0 to 1; one half for who is new and unknown to all that are valued here.'
  }),
  weight: Type.Number({
    description:
      'Its share beside a newcomer, who has 1, of what is sent where a limit is reached; 1 for all without `incentives.enabled`.'
  }),
  creditBytes: Type.Number({
    description: 'What it gave more than it took, of what counts; below 0 it owes.'
  }),
  ledger: LedgerShape,
  receipts: Type.Object(
    {
      shown: count('Receipts that it has shown and that have not expired, each signed by another node.'),
      adds: amount('What they add to the score; nothing where this node does not value who signed them.')
    },
    { description: 'What others say that it gave to them: hints, which add a tenth at most.' }
  ),
  network: Type.Union(
    [
      Type.Object({ prefix: text('Of its addresses.'), peers: count('Peers of it that were dealt with.') }),
      Type.Null()
    ],
    {
      description:
        'The public network that it shares a weight with; null for a local one, and where none is known.'
    }
  ),
  leftAlone: Type.Union([Type.Object({ code: Type.String(), reason: Type.String() }), Type.Null()], {
    description: 'Why it is asked for nothing now.'
  }),
  deniedForMs: ms(
    'For so much longer it is refused for what it did against the protocols; 0 when it is not.'
  ),
  contradictions: Type.Array(
    Type.Object({
      library: text('Id of the library.'),
      epoch: count('Of both heads.'),
      revision: count('Of the later head.'),
      roots: Type.Array(Type.String(), { description: 'Of the two heads.' }),
      counts: Type.Boolean({ description: 'Whether it costs the stake: those of closed libraries do not.' })
    }),
    { description: 'Pairs of heads signed by its key that cannot both be true.' }
  ),
  forfeitedUntil: timeOr('Its stake is forfeited until then, RFC 3339.'),
  ban: Type.Union([BanShape, Type.Null()]),
  reasons: Type.Array(Type.String(), { description: 'Why it stands so, in plain words.' })
})
export type PeerStanding = Type.Static<typeof PeerStanding>
