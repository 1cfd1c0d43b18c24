import { type CatalogError, type Clock, type Logger, MINUTE_MS, toCatalogError } from '../../base/index.ts'
import type { AnnouncementSchedule } from '../schedule.ts'
import type { Announced, AnnounceOptions, Network } from './network.ts'

/** Names of one announcement: their keys share look-ups when they are close. */
const NAMES_PER_BATCH = 1000
/** Records of these names that are announced with them; the sweep announces the others within a day. */
const IDS_PER_BATCH = 1000
/** Of writing an announcement down; it goes on in discovery. */
const ANNOUNCE_TIMEOUT_MS = MINUTE_MS

export interface AnnouncingModules {
  network: Pick<Network, 'announce'>
  schedule: AnnouncementSchedule
  clock: Clock
  logger: Logger
}

export interface Announcement {
  /** Peers that hold it. */
  announcedTo: number
  isAlone: boolean
  /** Why it ended early. */
  cause?: CatalogError
}

/** Announces what was just stored. Never rejects: what could not be announced stays due, and the schedule announces it. */
export async function announceStored(
  { network, schedule, logger }: { network: Network; schedule: AnnouncementSchedule; logger: Logger },
  what: Announced,
  { wait, timeoutMs }: AnnounceOptions,
  signal: AbortSignal
): Promise<Announcement> {
  // Alone there is nobody to wait for: it is written down, and announced to whoever comes.
  const isAlone = network.connected().length === 0
  let announcedTo = 0
  try {
    announcedTo = await network.announce(what, { wait: isAlone ? 0 : wait, timeoutMs }, signal)
    await schedule.announced(what.names, signal)
    return { announcedTo, isAlone }
  } catch (thrown) {
    const cause = toCatalogError(thrown)
    logger.warn({ names: what.names, code: cause.code }, 'stored, and not announced yet')
    return { announcedTo, isAlone, cause }
  }
}

/**
 * Announces once more what was announced since a time when not all of the network was there: peers that come back are nearer to some of it, and
 * those who look for it there ask them.
 */
export async function announceSince(
  { network, schedule, logger }: AnnouncingModules,
  sinceMs: number,
  signal: AbortSignal
): Promise<void> {
  const names = await schedule.announcedSince(sinceMs, NAMES_PER_BATCH, signal)
  if (names.length === 0) return
  const ids = await schedule.idsOf(names, IDS_PER_BATCH, signal)
  await network.announce({ names, ids }, { wait: 0, timeoutMs: ANNOUNCE_TIMEOUT_MS }, signal)
  logger.info({ names: names.length }, 'announced again what was published during a partition')
}

/** Announces all names that are due: where a publish was cut off before its announcement, where many came at once, and all of them when the node was away for long. */
export async function announceDue(
  { clock, network, schedule, logger }: AnnouncingModules,
  signal: AbortSignal
): Promise<void> {
  for (;;) {
    const names = await schedule.due(clock.now(), NAMES_PER_BATCH, signal)
    if (names.length === 0) return
    const ids = await schedule.idsOf(names, IDS_PER_BATCH, signal)
    await network.announce({ names, ids }, { wait: 0, timeoutMs: ANNOUNCE_TIMEOUT_MS }, signal)
    await schedule.announced(names, signal)
    logger.debug({ names: names.length }, 'announced what was due')
  }
}
