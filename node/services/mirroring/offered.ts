/** What others bring to this node's notice: copies that a node that leaves hands over, and contents that peers say are wanted. */
import { type Clock, type Logger, toCatalogError } from '../../../base/index.ts'
import type { Registry, ReleaseRecord } from '../../../library/index.ts'
import type { MirrorPlanner } from '../../../mirror/index.ts'
import type { Blocking } from '../blocking.ts'
import type { Draining } from './draining.ts'
import type { Mirroring } from './mirroring.ts'
import type { MirrorReleases } from './releases.ts'
import type { Offers } from './types.ts'

const NO_PLACE = 'it is not planned for here'

export interface OfferedModules {
  offers: Pick<Offers, 'onOffer'>
  registry: Pick<Registry, 'add' | 'get'>
  blocking: Pick<Blocking, 'isBlocked'>
  releases: Pick<MirrorReleases, 'judge' | 'isNamed' | 'offered'>
  planner: Pick<MirrorPlanner, 'whyNotTakeOver'>
  mirroring: Pick<Mirroring, 'learn' | 'changed' | 'policy'>
  draining: Pick<Draining, 'isDraining'>
  clock: Pick<Clock, 'now'>
  logger: Logger
}

/** From now on offers are answered: what this node could hold anyway is taken over, if there is room for it. */
export function takeOffers(modules: OfferedModules): void {
  const { offers, logger } = modules
  offers.onOffer(async (peerId, record, signal) => {
    const refusal = (await refusalOf(modules, record)) ?? (await keep(modules, record, signal))
    const { name, version } = record.release
    logger.info({ peer: peerId.toString(), name, version, refusal }, 'a copy was offered to this node')
    if (refusal !== undefined) return false
    modules.releases.offered(record.release.content.toString())
    modules.mirroring.changed()
    return true
  })
}

/** Why an offer is refused, in words; undefined for one that is taken. Decided before anything of it is kept. */
async function refusalOf(
  { registry, blocking, releases, planner, mirroring, draining, clock }: OfferedModules,
  record: ReleaseRecord
): Promise<string | undefined> {
  if (draining.isDraining) return 'this node is about to leave'
  if (blocking.isBlocked(record)) return 'it is blocked here'
  const isAcceptable = mirroring.policy.accept === 'network' || registry.get(record.id) !== undefined
  if (!isAcceptable) return 'no library here has it'
  const candidate = await releases.judge(record)
  return candidate === undefined ? NO_PLACE : planner.whyNotTakeOver(candidate, clock.now())
}

/** Keeps the release of an offer that is taken; why that cannot be, or undefined. */
async function keep(
  { registry, releases, mirroring, logger }: OfferedModules,
  record: ReleaseRecord,
  signal: AbortSignal
): Promise<string | undefined> {
  const isHere = registry.get(record.id) !== undefined
  if (!isHere && releases.isNamed(record.release.content.toString())) return undefined
  try {
    const { record: stored } = await registry.add(record.bytes, signal)
    return (await mirroring.learn(stored)) ? undefined : NO_PLACE
  } catch (thrown) {
    const { code } = toCatalogError(thrown)
    logger.debug({ code }, 'an offered release could not be kept')
    return code
  }
}
