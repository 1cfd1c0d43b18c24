import { CatalogError } from '../../base/index.ts'
import { type ContentStore, parseSpec, type Registry, type ReleaseRecord } from '../../library/index.ts'
import { parsePublicKey } from '../../trust/index.ts'
import type { EventHub } from '../events.ts'
import type { Collecting } from './collecting.ts'
import { releaseItem } from './release-shapes.ts'
import { selectRelease } from './selection.ts'
import type { RetentionService } from './types.ts'

export interface RetentionModules {
  registry: Registry
  content: ContentStore
  collecting: Pick<Collecting, 'changed'>
  events: EventHub
}

/** What stays whatever happens, and what is let go of. */
export function createRetention(modules: RetentionModules): RetentionService {
  const { registry, content, collecting, events } = modules

  async function local(
    text: string,
    publisher: string | undefined,
    signal: AbortSignal
  ): Promise<ReleaseRecord> {
    const owner = publisher === undefined ? undefined : parsePublicKey(publisher)
    return await localRelease(registry, text, signal, owner)
  }

  return {
    async pin(spec, publisher, signal) {
      const record = await local(spec, publisher, signal)
      await content.pin(record.release, signal)
      return releaseItem(record, content)
    },
    async unpin(spec, publisher, signal) {
      const record = await local(spec, publisher, signal)
      await content.unpin(record.release, signal)
      collecting.changed()
      return releaseItem(record, content)
    },
    async remove(text, publisher, signal) {
      const spec = parseSpec(text)
      // What is gone cannot be asked back: no range is guessed at.
      if (spec.kind === 'any' || (spec.kind === 'range' && !spec.exact))
        throw new CatalogError('INVALID_ARGUMENT', `${text} does not say which version is to be removed`, {
          hint: 'give NAME@VERSION, or the CID of the record'
        })
      const record = await local(text, publisher, signal)
      const item = releaseItem(record, content)
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
  registry: Registry,
  text: string,
  signal: AbortSignal,
  publisher?: Uint8Array
): Promise<ReleaseRecord> {
  const spec = parseSpec(text)
  if (spec.kind === 'id') {
    const record = registry.get(spec.id)
    if (record === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `no record ${spec.id} is here`)
    return record
  }
  const pin = registry.ownerPin(spec.name)
  return selectRelease(await registry.versions(spec.name, signal), spec, {
    ...(publisher === undefined ? {} : { publisher }),
    ...(pin === undefined ? {} : { pin })
  })
}
