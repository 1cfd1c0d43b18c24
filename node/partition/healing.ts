/** What is done as soon as the network is whole again, instead of when its time comes. */
import { type Clock, type Logger, SECOND_MS, timeoutSignal, toCatalogError } from '../../base/index.ts'
import type { Healed } from '../../topology/index.ts'
import { type AnnouncingModules, announceSince } from '../services/announcing.ts'
import type { Replaying } from '../services/replaying.ts'
import type { SyncParts } from '../sync-parts.ts'

/** What takes longer goes on by itself, as always; a partition is over when what is quick is done. */
const HEAL_MS = 15 * SECOND_MS

export interface HealingModules extends Pick<AnnouncingModules, 'network' | 'schedule'> {
  readonly following: Pick<SyncParts, 'compareAll'>
  readonly replaying: Pick<Replaying, 'replayAll'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Compares what is followed, does what is queued, and announces again what was announced since the loss (wall time) to a part of the network only. */
export async function heal(modules: HealingModules, sinceMs: number, signal: AbortSignal): Promise<Healed> {
  const { following, replaying } = modules
  const limit = AbortSignal.any([signal, timeoutSignal(HEAL_MS)])
  const [syncedLibraries, replayedOperations] = await Promise.all([
    tried(modules, following.compareAll(limit)),
    tried(modules, replaying.replayAll(limit)),
    tried(
      modules,
      announceSince(modules, sinceMs, limit).then(() => 0)
    )
  ])
  return { syncedLibraries, replayedOperations }
}

/** What fails, as for a full disk, is tried again at its time, and keeps nothing else from being done. */
async function tried({ logger }: HealingModules, work: Promise<number>): Promise<number> {
  try {
    return await work
  } catch (thrown) {
    logger.warn({ code: toCatalogError(thrown).code }, 'something could not be done after a partition')
    return 0
  }
}
