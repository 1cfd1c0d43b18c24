import { type CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import type { AnnouncementSchedule } from '../schedule.ts'
import type { Announced, AnnounceOptions, Network } from './network.ts'

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
