import { CatalogError, type Logger, plural, SECOND_MS, withSpan } from '../../base/index.ts'
import {
  type AddResult,
  type ContentStore,
  decodeRelease,
  HOME_LIBRARY,
  isFollowedLibrary,
  nameOfOwn,
  type Registry,
  type ReleaseRecord
} from '../../library/index.ts'
import type { LibrarySets, OwnLibrary } from '../../sync/index.ts'
import type { EventHub } from '../events.ts'
import type { AnnouncementSchedule } from '../schedule.ts'
import type { PublishResult } from '../schemas.ts'
import { type Announcement, announceStored } from './announcing.ts'
import type { Blocking } from './blocking.ts'
import type { Network } from './network.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseName } from './release-shapes.ts'
import { releaseAttributes } from './span-attributes.ts'
import type { CommitContext, PublishingService, PublishRequest, WorkContext } from './types.ts'

export interface PublishingModules {
  registry: Registry
  content: ContentStore
  blocking: Pick<Blocking, 'expectAllowed'>
  sets: Pick<LibrarySets, 'access'>
  access: Pick<ReleaseAccess, 'of'>
  network: Network
  schedule: AnnouncementSchedule
  events: EventHub
  logger: Logger
}

/** For one holder, where nobody asked for any: on a network that answers it is there within some round trips. */
const HOPE_MS = 2 * SECOND_MS

/**
 * Takes a signed release whose content is in the store: checks that it is, stores the record durably with its
 * announcement schedule, and only then announces it. So what is announced survives a power cut, and what could not be
 * announced now is announced by the schedule.
 *
 * What goes into a library that is not for everybody is announced nowhere: those who may know of it hear of it by the head of that library.
 *
 * Once the record is on its way to the store the release is as good as public. A cancel or a time limit then ends the
 * wait for peers and nothing else: the operation is done, or, where somebody wanted to know of a number of peers, has failed
 * with `details.published`.
 */
export function createPublishing(
  modules: PublishingModules,
  options: { defaultWait: number }
): PublishingService {
  const { registry, content, events, sets, access, blocking } = modules

  async function publish(request: PublishRequest, context: CommitContext): Promise<PublishResult> {
    const { progress, signal } = context
    if (request.library === undefined) await expectNotClosed(registry, request.recordBytes, signal)
    const library = await sets.access.ownNamed(request.library ?? HOME_LIBRARY)
    const isClosed = library.access !== 'public'
    if (isClosed && (request.wait ?? 0) > 0) throw nobodyToWaitFor(library)
    progress({ phase: 'storing' })
    const { record, added } = await storeRecord(request, library, context)
    const { release } = record
    // Nobody else can make this node's own name ambiguous here by publishing under it too.
    if (registry.ownerPin(release.name) === undefined) await registry.pinOwner(release.name, release.owner)
    if (added)
      events.emit('release', { name: release.name, version: release.version, id: record.id.toString() })
    return {
      name: release.name,
      version: release.version,
      id: record.id.toString(),
      content: release.content.toString(),
      sizeBytes: release.sizeBytes,
      files: release.files,
      library: library.name,
      access: await access.of(record),
      announcedTo: isClosed ? 0 : await announce(record, request, context),
      ...((await sets.access.isEarlier(library.libraryId)) ? { warning: earlierList(library) } : {})
    }
  }

  /** Peers that hold the announcement. TIMEOUT or NO_PEERS for fewer than somebody wanted to know of. */
  async function announce(
    record: ReleaseRecord,
    request: PublishRequest,
    context: WorkContext
  ): Promise<number> {
    const { wait = options.defaultWait } = request
    context.progress({ phase: 'announcing', itemsDone: 0, itemsTotal: wait })
    // Who did not say how many gets a short hope for one, so that the answer says whether anybody holds it.
    const hopesForOne = wait === 0 && request.wait === undefined
    const waitFor = hopesForOne
      ? { wait: 1, timeoutMs: Math.min(HOPE_MS, request.timeoutMs) }
      : { wait, timeoutMs: request.timeoutMs }
    const what = { names: [record.release.name], ids: [record.id] }
    const announced = await announceStored(modules, what, waitFor, context.signal)
    const { announcedTo } = announced
    if (announcedTo < wait) throw notAnnounced(record, { ...announced, wait })
    return announcedTo
  }

  /** The content is held meanwhile: until a release names it a collection could let go of it. */
  async function storeRecord(
    request: PublishRequest,
    { libraryId }: OwnLibrary,
    context: CommitContext
  ): Promise<AddResult> {
    const release = decodeRelease(request.recordBytes)
    blocking.expectAllowed(release)
    const done = content.hold(release.release.content)
    try {
      expectContent(content, release)
      context.commit()
      return await registry.publish(request.recordBytes, { libraryId })
    } finally {
      done()
    }
  }

  return {
    publish: (request, context) =>
      withSpan('publish', {}, async span => {
        const { release } = decodeRelease(request.recordBytes)
        span.setAttributes({ ...releaseAttributes(release), 'catalog.bytes': release.sizeBytes })
        return await publish(request, context)
      })
  }
}

const earlierList = ({ name }: OwnLibrary): string =>
  `no other node is shown ${name}: its access list is from before this home was restored or copied; look at \`catalog library show ${name}\`, then sign the list anew with \`catalog library grant\` or \`revoke\`, or \`catalog group\``

function nobodyToWaitFor({ name, access }: OwnLibrary): CatalogError {
  return new CatalogError(
    'INVALID_ARGUMENT',
    `the library ${name} is ${access}: nothing of it is announced`,
    {
      hint: 'publish without --wait; nodes that follow the library hear of it at once'
    }
  )
}

/** A package that is in closed libraries of this node only becomes public by whoever says so, not by whoever forgets to say where it belongs. */
async function expectNotClosed(
  registry: Registry,
  recordBytes: Uint8Array,
  signal: AbortSignal
): Promise<void> {
  const { name } = decodeRelease(recordBytes).release
  const libraries = new Set<string>()
  for await (const entry of registry.entries({ name }, signal)) {
    if (!entry.isClosed) return
    const record = registry.read(entry)
    for (const libraryId of record === undefined ? [] : await registry.librariesOf(record.bytes))
      if (!isFollowedLibrary(libraryId)) libraries.add(nameOfOwn(libraryId))
  }
  if (libraries.size === 0) return
  const names = [...libraries].sort()
  throw new CatalogError(
    'NOT_PERMITTED',
    `${name} is in a library that is not for everybody: ${names.join(', ')}`,
    {
      details: { name, libraries: names },
      hint: `publish it there with --library ${names[0]}, or, if everybody may have it from now on, with --library ${HOME_LIBRARY}`
    }
  )
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
    `${name} states ${plural(release.files, 'file')} of ${plural(release.sizeBytes, 'byte')}, its content has ${summary.files} of ${summary.sizeBytes}`
  )
}

/** The release is published all the same: the error says so, and the node goes on announcing. */
function notAnnounced(
  record: ReleaseRecord,
  { announcedTo, wait, isAlone, cause }: Announcement & { wait: number }
): CatalogError {
  const details = { id: record.id.toString(), published: true, announcedTo, wait }
  const name = releaseName(record)
  if (isAlone)
    return new CatalogError(
      'NO_PEERS',
      `${name} is published, and nobody holds the announcement: the node is connected to nobody`,
      {
        details,
        cause,
        hint: 'it is announced to the first peer that connects; see `catalog peers connect ADDR`'
      }
    )
  return new CatalogError(
    'TIMEOUT',
    `${name} is published, and its announcement is held by ${announcedTo} of ${plural(wait, 'peer')} so far`,
    {
      details,
      cause,
      hint: 'the node goes on announcing; `catalog peers list` shows whom it is connected to'
    }
  )
}
