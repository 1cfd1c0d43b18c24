import { trace } from '@opentelemetry/api'
import { CatalogError } from '../../base/index.ts'
import type { ContentStore, Registry } from '../../library/index.ts'
import type { EventHub } from '../events.ts'
import type { PublishResult } from '../schemas.ts'
import type { Network } from './network.ts'
import { releaseName } from './release-shapes.ts'
import type { PublishingService, PublishRequest, WorkContext } from './types.ts'

export interface PublishingModules {
  registry: Registry
  content: ContentStore
  network: Network
  events: EventHub
}

/**
 * Takes a signed release whose content is in the store: checks that it is, stores the record durably with its
 * announcement schedule, and only then announces it. So what is announced survives a power cut, and what could not be
 * announced now is announced by the schedule.
 */
export function createPublishing(modules: PublishingModules): PublishingService {
  const { registry, content, network, events } = modules

  async function publish(request: PublishRequest, { signal, progress }: WorkContext): Promise<PublishResult> {
    progress({ phase: 'storing' })
    const { record, added } = await registry.publish(request.recordBytes, signal)
    const { release } = record
    if (content.localState(release.content) !== 'complete')
      throw new CatalogError(
        'CONTENT_MISSING',
        `the content ${release.content} of ${releaseName(record)} is not here`,
        {
          hint: 'send it to POST /v1/ingests first'
        }
      )
    if (added)
      events.emit('release', { name: release.name, version: release.version, id: record.id.toString() })
    progress({ phase: 'announcing', itemsDone: 0, itemsTotal: request.wait })
    const announcedTo = await network.announce(release.name, request, signal)
    return {
      name: release.name,
      version: release.version,
      id: record.id.toString(),
      content: release.content.toString(),
      sizeBytes: release.sizeBytes,
      files: release.files,
      announcedTo
    }
  }

  const tracer = trace.getTracer('catalog')
  return {
    publish: (request, context) =>
      tracer.startActiveSpan('publish', async span => {
        try {
          return await publish(request, context)
        } finally {
          span.end()
        }
      })
  }
}
