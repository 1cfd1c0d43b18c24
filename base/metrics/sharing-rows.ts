/** Metrics of libraries that are followed, of copies that are held for others, and of what peers give each other. */
import { counter, gauge, histogram } from './row.ts'

/** When metrics are there. */
const WITH_MIRRORING = { only: 'mirroring.enabled = true' }

export const SHARING_ROWS = {
  sync: {
    followed_libraries: gauge('Libraries of others that are followed.'),
    failing_libraries: gauge('Followed libraries whose last comparison failed.', [], {
      lookWhen: 'above 0: `catalog sync --status` says why'
    }),
    sessions_total: counter(
      'Sessions in which this node followed a library, by how they ended: `equal`, `updated`, `behind`, or the code of an error.',
      ['end'],
      { lookWhen: 'errors grow' }
    ),
    received_records_total: counter('Records that came for followed libraries.'),
    received_bytes_total: counter('Bytes that came in sessions of this node.'),
    served_sessions_total: counter(
      'Sessions of peers that were shown a library, by how they ended: `well`, or a code.',
      ['end'],
      {
        lookWhen: '`BUSY` or `PROTOCOL_VIOLATION` grows'
      }
    ),
    served_bytes_total: counter('Bytes sent in sessions of peers.'),
    served_records_total: counter('Records sent in sessions of peers.'),
    served_sessions: gauge('Sessions of peers under way.')
  },
  heads: {
    told_heads_total: counter('Heads that watchers were told.'),
    heard_heads_total: counter('Heads that peers have told.'),
    watching_peers: gauge('Peers that watch libraries here.')
  },
  mirror: {
    held_copies: gauge('Contents that are held for others, or wanted for that.', [], WITH_MIRRORING),
    used_bytes: gauge('Bytes that are held for others, or on their way.', [], {
      ...WITH_MIRRORING,
      lookWhen: 'near `mirror.quota`'
    }),
    held_back_copies: gauge('Copies for which there is no room or budget.', [], {
      ...WITH_MIRRORING,
      lookWhen: 'it stays above 0: raise `mirror.quota` or `mirror.repairBudget`'
    }),
    waiting_proofs: gauge('Proofs of others that are waited for.', [], {
      ...WITH_MIRRORING,
      lookWhen: 'it grows and grows'
    }),
    plan_seconds: histogram('Time to plan.', [], {
      ...WITH_MIRRORING,
      lookWhen: 'tens of milliseconds and more'
    }),
    decided_offers_total: counter('Contents that peers asked this node to take, by whether it does.', [
      'outcome'
    ])
  },
  proof: {
    asked_challenges_total: counter(
      'Proofs that this node asked for: `proven`, `refuted`, `unanswered`.',
      ['outcome'],
      {
        ...WITH_MIRRORING,
        lookWhen: '`refuted` is a large part: somebody claims what it does not hold'
      }
    ),
    served_answers_total: counter(
      'Answers to peers that had this node prove what it holds (mirror.md), `OK` or why not.',
      ['code'],
      { lookWhen: '`BUSY` grows as fast as `OK`' }
    ),
    served_bytes_total: counter('Bytes of digests and blocks sent to peers as proofs.')
  },
  members: {
    known_records: gauge('Member records that are kept.'),
    comparisons_total: counter('Comparisons of members with a peer, by outcome.', ['outcome']),
    taken_records_total: counter('Member records of peers that were new.'),
    refused_records_total: counter('Member records of peers that were not taken, by reason.', ['reason'], {
      lookWhen: 'it grows'
    }),
    exchanged_bytes_total: counter('Bytes of sketches and member records, by direction.', ['direction'])
  },
  demand: {
    counted_contents: gauge('Contents of which is counted how often they were served.'),
    reporting_peers: gauge('Peers whose summaries of demand are known.'),
    told_summaries_total: counter('Summaries of demand that peers were told, by outcome.', ['outcome']),
    heard_summaries_total: counter('Summaries of demand of peers, by outcome.', ['outcome'])
  },
  ledger: {
    known_peers: gauge('Peers with whom something was exchanged, of 10,000 at most.'),
    forfeited_stakes_total: counter('Stakes forfeited for two stories signed by one key.', [], {
      lookWhen: 'it grows: `catalog doctor` names who'
    }),
    unkept_batches_total: counter(
      'Times that what was measured could not be written; it is tried again.',
      [],
      {
        lookWhen: 'it grows: see the disk'
      }
    )
  },
  receipts: {
    signing_peers: gauge('Peers that have signed a receipt for this node that is kept, of 256 at most.'),
    exchanged_receipts_total: counter(
      'Peers that were given a receipt (`given`) or asked for theirs (`asked`), by outcome; `failed` are peers that know no receipts, too.',
      ['kind', 'outcome']
    )
  }
} as const
