/** Metrics of connections, of what goes over them, and of finding out who holds what. */
import { counter, gauge, histogram } from './row.ts'

export const NETWORK_ROWS = {
  host: {
    open_connections: gauge(
      'Open connections, by who dialled and by transport: `quic`, `tcp` or `relay`.',
      ['direction', 'transport'],
      {
        lookWhen: 'all are 0, or near `network.maxConnections`'
      }
    ),
    connected_peers: gauge('Peers with an open connection.', [], { lookWhen: '0' }),
    active_relays: gauge('Relays through which this node can be reached.', [], { lookWhen: '0 behind NAT' }),
    dialable_ratio: gauge('1 when other nodes can dial this one, otherwise 0.', [], {
      lookWhen: '0 on a node that should be'
    }),
    open_streams: gauge('Open streams of all connections.'),
    pinned_bytes: gauge('Native memory that unread streams may pin.', [], {
      lookWhen: 'near `memory.network`'
    }),
    refused_connections_total: counter('Connections refused, by reason.', ['reason']),
    evicted_connections_total: counter('Connections closed because unread streams pinned too much.', [], {
      lookWhen: 'it grows'
    })
  },
  control: {
    asked_requests_total: counter('Requests to peers by type and outcome.', ['type', 'outcome']),
    served_requests_total: counter('Requests of peers by type and wire status.', ['type', 'status']),
    violations_total: counter('Control streams cut for what the peer did, by code.', ['code'], {
      lookWhen: 'it grows'
    }),
    open_peers: gauge('Peers with a control stream.')
  },
  peers: {
    violations_total: counter('Violations of the protocols by part and code.', ['part', 'code'], {
      lookWhen: 'it grows'
    }),
    denied_peers_total: counter('Peers denied for a while after repeated violations.', [], {
      lookWhen: 'it grows'
    })
  },
  content: {
    served_bytes_total: counter('Bytes of content given to peers, as on the wire, headers included.'),
    served_answers_total: counter('Answers to requests for content, by wire status.', ['status']),
    busy_streams_total: counter(
      'Transfers of peers answered BUSY: all places taken, or their limit too low for one more.',
      [],
      { lookWhen: 'it grows' }
    ),
    cut_streams_total: counter('Transfers of peers ended for a failure, by code.', ['code']),
    served_streams: gauge('Transfers of peers under way.')
  },
  fetch: {
    received_bytes_total: counter('Bytes of content used from peers, as on the wire.'),
    extra_connections_total: counter('Connections to a source beside its first, by kind and outcome.', [
      'kind',
      'outcome'
    ]),
    ended_fetches_total: counter('Transfers of content to this node, by outcome.', ['outcome'], {
      lookWhen: 'another one than `ok` grows'
    }),
    content_lookups_total: counter(
      'Releases whose content was wanted here, by where it was: `held` whole in the store, or `away` and to be fetched. The part of `held` is the hit rate of the content cache.',
      ['answer']
    )
  },
  throttle: {
    passed_bytes_total: counter(
      'Bytes of content that got their turn, limited or not: `up` is sent, `down` is asked for.',
      ['direction', 'priority']
    ),
    waited_seconds_total: counter('Time that bytes waited for their turn.', ['direction', 'priority'], {
      lookWhen: 'it grows as fast as the clock: a limit is in the way'
    }),
    busy_refusals_total: counter('Pieces refused because too many waited.', ['direction'], {
      lookWhen: 'it grows'
    }),
    upload_waiting_pieces: gauge('Pieces that wait to be sent.'),
    download_waiting_pieces: gauge('Pieces that wait to be asked for.')
  },
  discovery: {
    stored_claims: gauge('Provider records of others that are kept here, of 2,000,000 at most.'),
    known_providers: gauge('Peers of which provider records are kept here.'),
    evicted_claims_total: counter(
      'Provider records that went from a full store for nearer ones, or because they had expired.',
      [],
      { lookWhen: 'it grows and `catalog_discovery_stored_claims` is at its limit' }
    ),
    pending_keys: gauge('Keys that wait to be announced.', [], { lookWhen: 'it grows for hours' }),
    sweep_late_seconds: gauge('How late the latest part of announcing everything again is.', [], {
      lookWhen: 'hours: what is here may soon not be found'
    }),
    known_peers: gauge('Peers in the book that searches start from.'),
    walked_lookups_total: counter('Lookups of who is near a key in the DHT, for announcing.'),
    found_names_total: counter(
      'Searches by where the answer came from: `local` records, `asked` peers, nobody (`missing`), or nobody as was found out a moment ago (`remembered`). The part of `local` and `remembered` is the hit rate of lookups of names.',
      ['answer']
    ),
    search_seconds: histogram('Time of a search, its consumer included, by outcome.', ['outcome'])
  },
  topology: {
    known_peers: gauge('Peers of which something was measured, of 1,000 at most.'),
    unwell_peers: gauge('Connected peers with a health below 0.5.', [], {
      lookWhen: 'most of them are: it is the own link of this node'
    }),
    round_trip_seconds: histogram('Round trips of heartbeats, of all peers.', [], {
      lookWhen: 'it moves by more than peers come and go'
    })
  },
  partition: {
    state_number: gauge(
      'State of the network as seen from here: 0 whole, 1 suspected, 2 offline, 3 partitioned, 4 healing.',
      [],
      {
        lookWhen: 'not 0 for longer than a minute'
      }
    ),
    lost_peers: gauge('Peers that are lost in a partition, or suspected to be.'),
    partitions_total: counter('Partitions that were noticed.', [], {
      lookWhen: 'it grows: see to the way to those peers'
    }),
    duration_seconds: histogram('From the loss of peers in a partition until the first of them was back.')
  }
} as const
