import { trace } from '@opentelemetry/api'
import { CatalogError } from '../../base/index.ts'
import { type ContentStore, decodeRelease, type Registry, type ReleaseRecord } from '../../library/index.ts'
import type { EventHub } from '../events.ts'
import type { AnnouncementSchedule } from '../schedule.ts'
import type { PublishResult } from '../schemas.ts'
import type { Network } from './network.ts'
import { releaseName } from './release-shapes.ts'
import type { PublishingService, PublishRequest, WorkContext } from './types.ts'

export interface PublishingModules {
  registry: Registry
  content: ContentStore
  network: Network
  schedule: AnnouncementSchedule
  events: EventHub
}

/**
 * Takes a signed release whose content is in the store: checks that it is, stores the record durably with its
 * announcement schedule, and only then announces it. So what is announced survives a power cut, and what could not be
 * announced now is announced by the schedule.
 */
export function createPublishing(
  modules: PublishingModules,
  options: { defaultWait: number }
): PublishingService {
  const { registry, content, network, events, schedule } = modules

  async function publish(request: PublishRequest, { signal, progress }: WorkContext): Promise<PublishResult> {
    const { wait = options.defaultWait, timeoutMs } = request
    progress({ phase: 'storing' })
    expectContent(content, decodeRelease(request.recordBytes))
    const { record, added } = await registry.publish(request.recordBytes, signal)
    const { release } = record
    if (added)
      events.emit('release', { name: release.name, version: release.version, id: record.id.toString() })
    progress({ phase: 'announcing', itemsDone: 0, itemsTotal: wait })
    // Alone there is nobody to wait for: it is written down, and announced to whoever comes.
    const isAlone = network.connected().length === 0
    const announcedTo = await network.announce(
      { names: [release.name], ids: [record.id] },
      { wait: isAlone ? 0 : wait, timeoutMs },
      signal
    )
    await schedule.announced([release.name], signal)
    if (announcedTo < wait) throw notAnnounced(record, { announcedTo, wait, isAlone })
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

/** Before anything is stored: a release whose content is not here, or not what it states, could never be served. */
function expectContent(content: ContentStore, record: ReleaseRecord): void {
  const { release } = record
  const name = releaseName(record)
  const summary = content.summary(release.content)
  if (summary === undefined)
    throw new CatalogError('CONTENT_MISSING', `the content ${release.content} of ${name} is not here`, {
      hint: 'send it to POST /v1/ingests first'
    })
  if (summary.sizeBytes === release.sizeBytes && summary.files === release.files) return
  throw new CatalogError(
    'CONTENT_INVALID',
    `${name} states ${release.files} files of ${release.sizeBytes} bytes, its content has ${summary.files} of ${summary.sizeBytes}`
  )
}

/** The release is published all the same: the error says so, and the node goes on announcing. */
function notAnnounced(
  record: ReleaseRecord,
  { announcedTo, wait, isAlone }: { announcedTo: number; wait: number; isAlone: boolean }
): CatalogError {
  const details = { id: record.id.toString(), published: true, announcedTo, wait }
  const name = releaseName(record)
  if (isAlone)
    return new CatalogError(
      'NO_PEERS',
      `${name} is published, and nobody holds the announcement: the node is connected to nobody`,
      { details, hint: 'it is announced to the first peer that connects; see `catalog peers connect ADDR`' }
    )
  return new CatalogError(
    'TIMEOUT',
    `${name} is published, and ${announcedTo} of ${wait} peers hold the announcement so far`,
    {
      details,
      hint: 'the node goes on announcing; `catalog peers list` shows whom it is connected to'
    }
  )
}
