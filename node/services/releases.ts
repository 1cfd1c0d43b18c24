import { CatalogError } from '../../base/index.ts'
import { checkName, parseId, StatementSet } from '../../library/index.ts'
import { bytesEqual, formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ReleaseItem } from '../schemas.ts'
import { type Knowledge, keepNews, knownHere, withFound } from './knowledge.ts'
import { lookUp } from './lookup.ts'
import { releaseInfo, releaseItem } from './release-shapes.ts'
import { type ResolvingModules, resolveRelease } from './resolving.ts'
import type { ReleaseService } from './types.ts'

/** Questions about releases: what is here, what peers hold, whose a name is. */
export function createReleases(modules: ResolvingModules): ReleaseService {
  const { registry, content } = modules

  const itemsOf = ({ records, statements }: Knowledge): ReleaseItem[] =>
    records.map(record => releaseItem(record, content, statements.statusOf(record.release)))

  async function here(name: string, signal: AbortSignal): Promise<Knowledge> {
    checkName(name)
    return await knownHere(registry, name, signal)
  }

  return {
    local: async (name, signal) => itemsOf(await here(name, signal)),
    async list(limit, after) {
      const page = await registry.list({ limit, ...(after === undefined ? {} : { after }) })
      const packages = page.releases.map(record =>
        releaseItem(record, content, registry.status(record.release)?.status)
      )
      return page.next === undefined ? { packages } : { packages, next: page.next }
    },
    async versions(name, network, signal) {
      const known = await here(name, signal)
      if (!network) return itemsOf(known)
      const found = await lookUp(modules, { name }, signal).catch(error => {
        signal.throwIfAborted()
        if (known.records.length === 0) throw error
        return { records: [], statements: [] }
      })
      await keepNews(modules, known, found, signal)
      return itemsOf(withFound(known, found))
    },
    async info(query, signal) {
      const { record, statements } = await resolveRelease(modules, { ...query, news: true }, signal)
      const pin = registry.ownerPin(record.release.name)
      const isPinned = pin !== undefined && bytesEqual(pin, record.release.owner)
      const said = new StatementSet([...statements, ...(await registry.statements(record.release, signal))])
      return releaseInfo(record, content, said, isPinned)
    },
    async record(id, signal) {
      const stored = await registry.stored(parseId(id), signal)
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
