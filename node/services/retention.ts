import { CatalogError } from '../../base/index.ts'
import {
  type ContentStore,
  parseExactSpec,
  parseSpec,
  type Registry,
  type ReleaseRecord
} from '../../library/index.ts'
import { parsePublicKey } from '../../trust/index.ts'
import type { EventHub } from '../events.ts'
import type { ReleaseItem } from '../schemas.ts'
import type { Blocking } from './blocking.ts'
import type { Collecting } from './collecting.ts'
import type { ConflictPolicies } from './conflict-policies.ts'
import { knownHere } from './knowledge.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseItem } from './release-shapes.ts'
import { ruleFor } from './resolving.ts'
import { selectRelease } from './selection.ts'
import type { RetentionService } from './types.ts'

/** What a release that is here is found with. */
export interface LocalModules {
  registry: Registry
  content: ContentStore
  policies: ConflictPolicies
}

export interface RetentionModules extends LocalModules {
  access: Pick<ReleaseAccess, 'of'>
  blocking: Pick<Blocking, 'isBlocked'>
  collecting: Pick<Collecting, 'changed'>
  events: EventHub
}

/** What stays whatever happens, and what is let go of. */
export function createRetention(modules: RetentionModules): RetentionService {
  const { registry, content, access, blocking, collecting, events } = modules

  async function local(
    text: string,
    publisher: string | undefined,
    signal: AbortSignal
  ): Promise<ReleaseRecord> {
    const owner = publisher === undefined ? undefined : parsePublicKey(publisher)
    return await localRelease(modules, text, signal, owner)
  }

  async function itemOf(record: ReleaseRecord): Promise<ReleaseItem> {
    const { status } = registry.status(record.release) ?? {}
    return releaseItem(record, content, {
      status,
      access: await access.of(record),
      isBlocked: blocking.isBlocked(record)
    })
  }

  return {
    async pin(spec, publisher, signal) {
      const record = await local(spec, publisher, signal)
      await content.pin(record.release, signal)
      return await itemOf(record)
    },
    async unpin(spec, publisher, signal) {
      const record = await local(spec, publisher, signal)
      await content.unpin(record.release, signal)
      collecting.changed()
      return await itemOf(record)
    },
    async remove(text, publisher, signal) {
      // What is gone cannot be asked back: no range is guessed at.
      parseExactSpec(text)
      const record = await local(text, publisher, signal)
      const item = await itemOf(record)
      await registry.remove(record.id, signal)
      collecting.changed()
      const { name, version } = record.release
      events.emit('release', { name, version, id: item.id, local: 'none' })
      return item
    }
  }
}

/** A release that is known here; nobody else is asked. */
export async function localRelease(
  modules: LocalModules,
  text: string,
  signal: AbortSignal,
  publisher?: Uint8Array
): Promise<ReleaseRecord> {
  const { registry } = modules
  const spec = parseSpec(text)
  if (spec.kind === 'id') {
    const record = registry.get(spec.id)
    if (record === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `no record ${spec.id} is here`)
    return record
  }
  return selectRelease(await knownHere(modules, spec.name, signal), spec, {
    ...ruleFor(modules, spec.name),
    ...(publisher === undefined ? {} : { publisher })
  })
}
