import { CatalogError } from '../../base/index.ts'
import { checkName, parseId, type ReleaseRecord, StatementSet, type Status } from '../../library/index.ts'
import { viewOfName } from '../../sync/index.ts'
import { bytesEqual, formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ReleaseItem } from '../schemas.ts'
import { conflictShape } from './conflict-shapes.ts'
import { expiredSince, type FreshnessModules } from './freshness.ts'
import { type Knowledge, keepNews, knownHere, withFound } from './knowledge.ts'
import { lookUp } from './lookup.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseInfo, releaseItem } from './release-shapes.ts'
import { type ResolvingModules, resolveRelease } from './resolving.ts'
import type { ReleaseService } from './types.ts'

/** Questions about releases: what is here, what peers hold, whose a name is. */
export function createReleases(
  modules: ResolvingModules & FreshnessModules & { access: Pick<ReleaseAccess, 'of' | 'libraries'> }
): ReleaseService {
  const { registry, content, policies, access, blocking } = modules

  async function itemOf(record: ReleaseRecord, status: Status | undefined): Promise<ReleaseItem> {
    return releaseItem(record, content, {
      status,
      access: await access.of(record),
      isBlocked: blocking.isBlocked(record)
    })
  }

  const itemsOf = ({ records, statements }: Knowledge): Promise<ReleaseItem[]> =>
    Promise.all(records.map(record => itemOf(record, statements.statusOf(record.release))))

  async function here(name: string, signal: AbortSignal): Promise<Knowledge> {
    checkName(name)
    return await knownHere(modules, name, signal)
  }

  return {
    local: async (name, signal) => await itemsOf(await here(name, signal)),
    async list(limit, after) {
      const page = await registry.list({ limit, ...(after === undefined ? {} : { after }) })
      const packages = await Promise.all(
        page.releases.map(record => itemOf(record, registry.status(record.release)?.status))
      )
      return page.next === undefined ? { packages } : { packages, next: page.next }
    },
    async versions(name, network, signal) {
      const known = await here(name, signal)
      if (!network) return await itemsOf(known)
      const found = await lookUp(modules, { name }, signal).catch(error => {
        signal.throwIfAborted()
        if (known.records.length === 0) throw error
        return { records: [], statements: [] }
      })
      await keepNews(modules, known, found, registry.ownerPin(name), signal)
      return await itemsOf(withFound(known, found))
    },
    async info(query, signal) {
      const request = { ...query, news: true, shows: query.publisher === undefined }
      const resolved = await resolveRelease(modules, request, signal)
      const { record, known } = resolved
      const { release } = record
      const sinceMs = await expiredSince(modules, resolved)
      const pin = registry.ownerPin(release.name)
      const info = releaseInfo(record, content, {
        statements: new StatementSet([...known.statements, ...(await registry.statements(release, signal))]),
        access: await access.of(record),
        isBlocked: blocking.isBlocked(record),
        libraries: await access.libraries(record),
        ...(sinceMs === undefined ? {} : { expiredAt: new Date(sinceMs).toISOString() }),
        pinned: pin !== undefined && bytesEqual(pin, release.owner)
      })
      const policy = { ...policies.of(release.name), pin }
      const view = viewOfName(known, policy).versions.find(({ version }) => version === release.version)
      return view === undefined || view.claims.length < 2 ? info : { ...info, ...conflictShape(view, policy) }
    },
    record(id) {
      const stored = registry.get(parseId(id))
      if (stored === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `no record ${id} is here`)
      return Buffer.from(stored.bytes).toString('base64')
    },
    pin(name) {
      checkName(name)
      const owner = registry.ownerPin(name)
      if (owner === undefined) throw new CatalogError('NOT_FOUND', `${name} is not pinned to an owner here`)
      return formatPublicKey(owner)
    },
    async setPin(name, owner, signal) {
      checkName(name)
      await registry.pinOwner(name, parsePublicKey(owner), signal)
    }
  }
}
