import { CatalogError } from '../../base/index.ts'
import {
  checkName,
  type Library,
  parseId,
  type ReleaseRecord,
  StatementSet,
  type Status
} from '../../library/index.ts'
import { viewOfName } from '../../sync/index.ts'
import { bytesEqual, formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ReleaseInfo, ReleaseItem } from '../schemas.ts'
import type { Blocking } from './blocking.ts'
import { conflictShape } from './conflict-shapes.ts'
import { type FreshnessModules, freshUntil } from './freshness.ts'
import { type Knowledge, keepNews, knownHere, withFound } from './knowledge.ts'
import { lookUp } from './lookup.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseInfo, releaseItem } from './release-shapes.ts'
import { type ResolvingModules, resolveRelease } from './resolving.ts'
import type { ReleaseService } from './types.ts'

export type ReleasesModules = ResolvingModules &
  FreshnessModules & {
    access: Pick<ReleaseAccess, 'of' | 'libraries'>
    blocking: Pick<Blocking, 'rules'>
    remembered: Pick<Library['remembered'], 'of'>
  }

/** A release in the shape of the API, with the record that it is made of. */
interface Shown<Shape extends ReleaseItem> {
  readonly record: ReleaseRecord
  readonly shape: Shape
}

/**
 * Questions about releases: what is here, what peers hold, whose a name is. What follows from the database alone is remembered until that
 * changes; what does not (whether a content is here, what is blocked) is looked at each time.
 */
export function createReleases(modules: ReleasesModules): ReleaseService {
  const { registry, content, access, blocking, remembered, clock } = modules

  async function shownItem(record: ReleaseRecord, status: Status | undefined): Promise<Shown<ReleaseItem>> {
    const said = { status, access: await access.of(record), isBlocked: blocking.isBlocked(record) }
    return { record, shape: releaseItem(record, content, said) }
  }

  const asOfNow = <Shape extends ReleaseItem>({ record, shape }: Shown<Shape>): Shape => ({
    ...shape,
    local: content.localState(record.release.content),
    isBlocked: blocking.isBlocked(record)
  })

  const shownOf = ({ records, statements }: Knowledge): Promise<Array<Shown<ReleaseItem>>> =>
    Promise.all(records.map(record => shownItem(record, statements.statusOf(record.release))))

  async function local(name: string, signal: AbortSignal): Promise<ReleaseItem[]> {
    checkName(name)
    const read = async () => await shownOf(await knownHere(modules, name, signal))
    return (await remembered.of(`versions of ${name}`, read)).map(asOfNow)
  }

  return {
    local,
    async list(limit, after) {
      const page = await remembered.of(`releases ${JSON.stringify([limit, after])}`, async () => {
        const { releases, next } = await registry.list({ limit, ...(after === undefined ? {} : { after }) })
        const shown = releases.map(record => shownItem(record, registry.status(record.release)?.status))
        return { shown: await Promise.all(shown), ...(next === undefined ? {} : { next }) }
      })
      const { shown, ...next } = page
      return { packages: shown.map(asOfNow), ...next }
    },
    async versions(name, network, signal) {
      if (!network) return await local(name, signal)
      checkName(name)
      const known = await knownHere(modules, name, signal)
      const found = await lookUp(modules, { name }, signal).catch(error => {
        signal.throwIfAborted()
        if (known.records.length === 0) throw error
        return { records: [], statements: [] }
      })
      await keepNews(modules, known, found, registry.ownerPin(name), signal)
      return (await shownOf(withFound(known, found))).map(asOfNow)
    },
    async info(query, signal) {
      const read = () => shownInfo(modules, query, signal)
      const key = `release ${JSON.stringify([query.spec, query.publisher])}`
      const { freshUntilMs, ...shown } = query.network
        ? await read()
        : await remembered.of(key, read, blocking.rules)
      const info = asOfNow(shown)
      return clock.now() < freshUntilMs ? info : { ...info, expiredAt: new Date(freshUntilMs).toISOString() }
    },
    record(id) {
      const stored = registry.get(parseId(id))
      if (stored === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `no record ${id} is here`)
      return Buffer.from(stored.bytes).toString('base64')
    },
    pin(name) {
      checkName(name)
      const owner = registry.ownerPin(name)
      if (owner === undefined)
        throw new CatalogError('NOT_FOUND', `${name} is not pinned to an owner here`, {
          hint: '`catalog conflicts resolve NAME --owner KEY` pins it'
        })
      return formatPublicKey(owner)
    },
    async setPin(name, owner, signal) {
      checkName(name)
      await registry.pinOwner(name, parsePublicKey(owner), signal)
    }
  }
}

/** One release with all that is said of it. */
async function shownInfo(
  modules: ReleasesModules,
  query: Parameters<ReleaseService['info']>[0],
  signal: AbortSignal
): Promise<Shown<ReleaseInfo> & { readonly freshUntilMs: number }> {
  const { registry, content, policies, access, blocking } = modules
  const request = { ...query, news: true, shows: query.publisher === undefined }
  const resolved = await resolveRelease(modules, request, signal)
  const { record, known } = resolved
  const { release } = record
  const freshUntilMs = await freshUntil(modules, resolved)
  const pin = registry.ownerPin(release.name)
  const info = releaseInfo(record, content, {
    statements: new StatementSet([...known.statements, ...(await registry.statements(release, signal))]),
    access: await access.of(record),
    isBlocked: blocking.isBlocked(record),
    libraries: await access.libraries(record),
    pinned: pin !== undefined && bytesEqual(pin, release.owner)
  })
  const policy = { ...policies.of(release.name), pin }
  const view = viewOfName(known, policy).versions.find(({ version }) => version === release.version)
  const conflict = view === undefined || view.claims.length < 2 ? {} : conflictShape(view, policy)
  return { record, shape: { ...info, ...conflict }, freshUntilMs }
}
