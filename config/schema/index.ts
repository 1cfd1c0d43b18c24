import { Object as ObjectOf, type Static } from 'typebox'
import { conflicts } from './conflicts.ts'
import { incentives, mirror, mirroring } from './mirror.ts'
import { announce, dht, mdns, network, quic, relay } from './network.ts'
import { admin, limits, log, metrics, operations, peers, security, tracing } from './operation.ts'
import { cache, fetch, memory, s3, store, sync, tuning } from './storage.ts'
import { topology } from './topology.ts'

/**
 * The one description of the configuration: its keys are `section.key`. Validation, defaults, profiles, environment
 * names, help, documentation and the JSON Schema for editors are all read from here.
 */
export const CONFIG_SCHEMA = ObjectOf({
  network,
  quic,
  dht,
  mdns,
  announce,
  relay,
  store,
  'store.s3': s3,
  cache,
  memory,
  fetch,
  tuning,
  sync,
  topology,
  mirroring,
  mirror,
  incentives,
  operations,
  limits,
  peers,
  conflicts,
  security,
  admin,
  metrics,
  tracing,
  log
})

/** The effective configuration. Durations in milliseconds, sizes in bytes, rates in bytes per second. */
export type Config = Static<typeof CONFIG_SCHEMA>
