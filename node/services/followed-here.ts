import type { Logger } from '../../base/index.ts'
import type { Followed, LibrarySets } from '../../sync/index.ts'

/** The libraries of other nodes that copies are here of; the log tells of those whose rows cannot be read. */
export function followedHere(
  { sets, logger }: { sets: Pick<LibrarySets, 'followed'>; logger: Logger },
  signal: AbortSignal
): Promise<Followed[]> {
  return sets.followed(library => {
    const id = Buffer.from(library).toString('hex')
    logger.warn({ library: id }, 'what is known of a followed library cannot be read')
  }, signal)
}
