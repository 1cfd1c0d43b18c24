/**
 * What libp2p's own metrics mean: libp2p registers them itself, by names and labels of its own (node/host/libp2p-metrics.ts), of which a
 * label often has the name of its metric (`*` here). Names do not always follow Prometheus: some gauges end in `_total`.
 */
import { counter, gauge } from './row.ts'

/** When metrics are there. */
const WITH_DHT = { only: 'dht.enabled = true' }
const WITH_NOISE = { only: 'a connection over TCP or a relay' }
const WITH_TCP = { only: 'an address of TCP in `network.listen`' }

export const LIBP2P_ROWS = {
  libp2p_data_transfer_bytes_total: counter(
    'Bytes over streams by protocol and direction, such as `/catalog/main/content/1 sent`; `global` is what TCP carried in all.',
    ['protocol']
  ),
  libp2p_protocol_streams_total: gauge('Open streams by direction and protocol.', ['protocol']),
  libp2p_connection_manager_protocol_streams_per_connection_90th_percentile: gauge(
    'Streams of one connection by direction and protocol: nine of ten have at most so many.',
    ['protocol']
  ),
  libp2p_connection_manager_connections: gauge(
    'Connections that are open and that are being made, by direction.',
    ['libp2p_connection_manager_connections']
  ),
  libp2p_connection_manager_dials_total: counter('Connections begun, by direction.', [
    'libp2p_connection_manager_dials_total'
  ]),
  libp2p_connection_manager_dial_errors_total: counter(
    'Connections that could not be made, by direction.',
    ['libp2p_connection_manager_dial_errors_total'],
    { lookWhen: 'it grows as fast as the dials' }
  ),
  libp2p_connection_manager_dials_inbound_errors_total: counter(
    'Connections of peers that could not be made, by error.',
    ['libp2p_connection_manager_dials_inbound_errors_total']
  ),
  libp2p_connection_manager_dials_outbound_errors_total: counter(
    'Connections to peers that could not be made, by error.',
    ['libp2p_connection_manager_dials_outbound_errors_total']
  ),
  libp2p_dial_queue: gauge(
    'Dials that wait or run: `size` in all, `running`, `queued`.',
    ['libp2p_dial_queue'],
    { lookWhen: '`queued` stays above 0' }
  ),
  libp2p_peer_store_locks: gauge('Locks of the address book that are held.'),
  libp2p_upgrader_connection_encrypters: gauge('Ways to encrypt that this node has beside QUIC.'),
  libp2p_upgrader_stream_multiplexers: gauge('Multiplexers that this node has beside QUIC.'),
  libp2p_transport_manager_transports: gauge('Transports that this node has.'),
  libp2p_transport_manager_listeners: gauge('Transports that listen.', [], { lookWhen: '0' }),
  libp2p_registrar_topologies: gauge('Watchers of peers by protocol.', ['libp2p_registrar_topologies']),
  libp2p_registrar_protocol_handlers: gauge('Protocols that this node answers.'),
  libp2p_address_manager_observed_addresses: gauge('Own addresses as peers see them.'),
  libp2p_address_manager_dns_mappings: gauge('Own addresses by name.'),
  libp2p_address_manager_ip_mappings: gauge('Own addresses that a router forwards.'),
  libp2p_address_manager_transport_addresses: gauge('Own addresses that transports listen on.'),
  libp2p_quic_dialer_events_total: counter('What became of dials over QUIC.', [
    'libp2p_quic_dialer_events_total'
  ]),
  libp2p_quic_dialer_errors_total: counter('Errors of dials over QUIC.', ['libp2p_quic_dialer_errors_total']),
  libp2p_quic_inbound_connections_total: gauge('Connections of peers by own address that they came to.', [
    'address'
  ]),
  libp2p_quic_listener_events_total: gauge('Events of own addresses.', ['address']),
  libp2p_quic_listener_errors_total: gauge('Errors of own addresses.', ['address']),
  libp2p_tcp_dialer_events_total: counter('What became of dials over TCP.', [
    'libp2p_tcp_dialer_events_total'
  ]),
  libp2p_tcp_dialer_errors_total: counter('Errors of dials over TCP.', ['libp2p_tcp_dialer_errors_total']),
  libp2p_tcp_inbound_connections_total: gauge(
    'Connections of peers over TCP by own address.',
    ['address'],
    WITH_TCP
  ),
  libp2p_tcp_listener_status_info: gauge(
    '1 for own addresses of TCP that are listened on.',
    ['address'],
    WITH_TCP
  ),
  libp2p_tcp_listener_events_total: gauge('Events of own addresses of TCP.', ['address'], WITH_TCP),
  libp2p_tcp_listener_errors_total: gauge('Errors of own addresses of TCP.', ['address'], WITH_TCP),
  libp2p_noise_xxhandshake_successes_total: counter(
    'Handshakes over TCP and in relays that succeeded.',
    [],
    WITH_NOISE
  ),
  libp2p_noise_xxhandshake_error_total: counter(
    'Handshakes over TCP and in relays that failed.',
    [],
    WITH_NOISE
  ),
  libp2p_noise_encrypted_packets_total: counter('Packets encrypted over TCP and in relays.', [], WITH_NOISE),
  libp2p_noise_decrypted_packets_total: counter('Packets decrypted over TCP and in relays.', [], WITH_NOISE),
  libp2p_noise_decrypt_errors_total: counter('Packets that could not be decrypted.', [], {
    ...WITH_NOISE,
    lookWhen: 'it grows'
  }),
  libp2p_relay_reservation_queue: gauge(
    'Reservations with relays that wait or run.',
    ['libp2p_relay_reservation_queue'],
    { only: 'relay.enabled = true' }
  ),
  libp2p_autonat_dial_results: gauge(
    'Own addresses of which it is being found out whether they can be dialled.',
    [],
    { only: 'network.privateAddresses other than `always`' }
  ),
  libp2p_kad_dht_operations_total: gauge(
    'Operations of the DHT under way, by operation.',
    ['operation'],
    WITH_DHT
  ),
  libp2p_kad_dht_operation_errors_total: counter(
    'Operations of the DHT that failed, by operation.',
    ['operation'],
    WITH_DHT
  ),
  libp2p_kad_dht_operation_time_seconds: gauge(
    'Time of the last operation of the DHT, by operation.',
    ['operation'],
    WITH_DHT
  ),
  libp2p_kad_dht_operation_error_time_seconds: gauge(
    'Time of the last operation of the DHT that failed, by operation.',
    ['operation'],
    WITH_DHT
  ),
  libp2p_kad_dht_network_message_send_times_milliseconds: gauge(
    'Time that requests of the DHT take: averages of the recent ones.',
    ['libp2p_kad_dht_network_message_send_times_milliseconds'],
    WITH_DHT
  ),
  libp2p_kad_dht_outbound_rpc_requests_total: counter(
    'Requests of the DHT to peers, by kind.',
    ['libp2p_kad_dht_outbound_rpc_requests_total'],
    WITH_DHT
  ),
  libp2p_kad_dht_outbound_rpc_errors_total: counter(
    'Requests of the DHT to peers that failed, by kind.',
    ['libp2p_kad_dht_outbound_rpc_errors_total'],
    { ...WITH_DHT, lookWhen: 'it grows as fast as the requests' }
  ),
  libp2p_kad_dht_inbound_rpc_requests_total: counter(
    'Requests of peers, by kind.',
    ['libp2p_kad_dht_inbound_rpc_requests_total'],
    WITH_DHT
  ),
  libp2p_kad_dht_inbound_rpc_errors_total: counter(
    'Requests of peers that failed, by kind.',
    ['libp2p_kad_dht_inbound_rpc_errors_total'],
    WITH_DHT
  ),
  libp2p_kad_dht_inbound_rpc_time_seconds: gauge(
    'Time of the last request of a peer, by kind.',
    ['operation'],
    WITH_DHT
  ),
  libp2p_kad_dht_routing_table_size: gauge('Peers in the routing table of the DHT.', [], {
    ...WITH_DHT,
    lookWhen: '0 on a node with peers'
  }),
  libp2p_kad_dht_routing_table_kad_bucket_total: gauge('Buckets of the routing table.', [], WITH_DHT),
  libp2p_kad_dht_routing_table_kad_bucket_average_occupancy: gauge(
    'Peers in a bucket, on average.',
    [],
    WITH_DHT
  ),
  libp2p_kad_dht_routing_table_kad_bucket_min_occupancy: gauge('Peers in the emptiest bucket.', [], WITH_DHT),
  libp2p_kad_dht_routing_table_kad_bucket_max_occupancy: gauge('Peers in the fullest bucket.', [], WITH_DHT),
  libp2p_kad_dht_routing_table_kad_bucket_max_depth: gauge('Depth of the deepest bucket.', [], WITH_DHT),
  libp2p_kad_dht_kad_bucket_events_total: counter(
    'Changes of the routing table, by kind.',
    ['libp2p_kad_dht_kad_bucket_events_total'],
    WITH_DHT
  ),
  libp2p_kad_dht_routing_table_update_queue: gauge(
    'Changes of the routing table that wait or run.',
    ['libp2p_kad_dht_routing_table_update_queue'],
    WITH_DHT
  ),
  libp2p_kad_dht_ping_old_contact_queue: gauge(
    'Checks whether peers of the routing table are still there, that wait or run.',
    ['libp2p_kad_dht_ping_old_contact_queue'],
    WITH_DHT
  ),
  libp2p_kad_dht_ping_new_contact_queue: gauge(
    'Checks of peers that may join the routing table, that wait or run.',
    ['libp2p_kad_dht_ping_new_contact_queue'],
    WITH_DHT
  ),
  libp2p_kad_dht_routing_table_ping_old_contact_time_milliseconds: gauge(
    'Time of those checks: averages of the recent ones.',
    ['libp2p_kad_dht_routing_table_ping_old_contact_time_milliseconds'],
    WITH_DHT
  ),
  libp2p_kad_dht_routing_table_ping_new_contact_time_milliseconds: gauge(
    'Time of those checks: averages of the recent ones.',
    ['libp2p_kad_dht_routing_table_ping_new_contact_time_milliseconds'],
    WITH_DHT
  ),
  libp2p_kad_dht_adding_peer_map: gauge('Peers that are being added to the routing table.', [], WITH_DHT),
  libp2p_kad_dht_reprovide_queue: gauge(
    'Not used: announcing is `catalog_discovery_`.',
    ['libp2p_kad_dht_reprovide_queue'],
    WITH_DHT
  ),
  libp2p_kad_dht_reprovide_timeout_milliseconds: gauge(
    'Not used: announcing is `catalog_discovery_`.',
    ['libp2p_kad_dht_reprovide_timeout_milliseconds'],
    WITH_DHT
  )
} as const
