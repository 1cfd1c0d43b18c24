/** What the rules of alerts look at, read from the parts of a node. */
import { statfs } from 'node:fs/promises'
import { type Clock, type Logger, MINUTE_MS } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { ContentStore } from '../library/index.ts'
import type { EventHub } from './events.ts'
import type { HomeLayout } from './home/layout.ts'
import type { Host } from './host/index.ts'
import type { Logging } from './logging/logging.ts'
import { Alerting } from './services/alerts/alerting.ts'
import { type AlertState, ERROR_WINDOW_MS } from './services/alerts/rules.ts'
import type { Offloading } from './services/offloading.ts'
import type { PartitionWatch } from './services/partition-types.ts'
import type { Violations } from './services/violations.ts'
import type { SyncParts } from './sync-parts.ts'

/** Damaged contents are counted so often: that looks at each content, and what is damaged stays so for long. */
const COUNT_EVERY_MS = 10 * MINUTE_MS

export interface AlertingParts {
  home: Pick<HomeLayout, 'segments'>
  content: Pick<ContentStore, 'stats' | 'holdings'>
  host: Pick<Host, 'peers'>
  partition: Pick<PartitionWatch, 'state'>
  discovery: Pick<Discovery, 'stats'>
  syncParts: Pick<SyncParts, 'follows'>
  violations: Pick<Violations, 'denied'>
  /** Only with a bucket. */
  offloading: Pick<Offloading, 'state'> | undefined
  logging: Pick<Logging, 'errors'>
  events: Pick<EventHub, 'emit'>
  clock: Clock
  logger: Logger
}

/** Not started. */
export function alertingOf(parts: AlertingParts, { store, network }: Config): Alerting {
  const { home, content, host, partition, discovery, syncParts, violations } = parts
  const { offloading, logging, clock, logger } = parts
  const damaged = seldom(clock, async () => (await content.holdings()).damaged)
  const look = async (): Promise<AlertState> => {
    const nowMs = clock.now()
    const { bavail, bsize } = await statfs(home.segments)
    const { problem, backlogBytes = 0 } = offloading?.state ?? {}
    return {
      nowMs,
      store: { bytes: content.stats().bytes, quotaBytes: store.quota },
      freeBytes: bavail * bsize,
      damaged: await damaged(),
      errors: code => logging.errors.since(code, nowMs - ERROR_WINDOW_MS),
      bucketProblem: problem && { code: problem.code, backlogBytes },
      peers: host.peers().length,
      peersWanted: network.peersWanted,
      partition: partition.state,
      announcementsLateMs: discovery.stats().sweep.lateMs,
      notFollowed: syncParts
        .follows()
        .flatMap(({ address, error }) => (error === undefined ? [] : [{ address, code: error }])),
      denied: violations.denied()
    }
  }
  return new Alerting({ look, events: parts.events, clock, logger: logger.child({ part: 'alerts' }) })
}

/** The last value, until COUNT_EVERY_MS have passed. */
function seldom(clock: Clock, count: () => Promise<number>): () => Promise<number> {
  let last: { value: number; atMs: number } | undefined
  return async () => {
    if (last === undefined || clock.monotonicMs() - last.atMs >= COUNT_EVERY_MS)
      last = { value: await count(), atMs: clock.monotonicMs() }
    return last.value
  }
}
