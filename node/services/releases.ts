import { CatalogError } from '../../base/index.ts'
import { checkName } from '../../library/index.ts'
import { bytesEqual, formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ReleaseItem } from '../schemas.ts'
import { lookUp } from './lookup.ts'
import { releaseInfo, releaseItem } from './release-shapes.ts'
import { type ResolvingModules, resolveRelease } from './resolving.ts'
import type { ReleaseService } from './types.ts'

/** Questions about releases: what is here, what peers hold, whose a name is. */
export function createReleases(modules: ResolvingModules): ReleaseService {
  const { registry, content } = modules

  async function local(name: string, signal: AbortSignal): Promise<ReleaseItem[]> {
    checkName(name)
    return (await registry.versions(name, signal)).map(record => releaseItem(record, content))
  }

  return {
    local,
    async list(limit, after) {
      const page = await registry.list({ limit, ...(after === undefined ? {} : { after }) })
      const packages = page.releases.map(record => releaseItem(record, content))
      return page.next === undefined ? { packages } : { packages, next: page.next }
    },
    async versions(name, network, signal) {
      const items = await local(name, signal)
      if (!network) return items
      const found = await lookUp(modules, { name }, signal).catch(error => {
        signal.throwIfAborted()
        if (items.length === 0) throw error
        return { records: [] }
      })
      const known = new Set(items.map(item => item.id))
      const others = found.records.map(record => releaseItem(record, content))
      return [...items, ...others.filter(item => !known.has(item.id))]
    },
    async info(query, signal) {
      const { record } = await resolveRelease(modules, query, signal)
      const pin = registry.ownerPin(record.release.name)
      return releaseInfo(record, content, pin !== undefined && bytesEqual(pin, record.release.owner))
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
