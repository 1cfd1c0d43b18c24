import { CatalogError, type Logger, SECOND_MS } from '../../base/index.ts'
import {
  type ContentStore,
  decodeRelease,
  decodeStatement,
  type Registry,
  type ReleaseIdentity,
  type ReleaseRecord,
  releaseOf
} from '../../library/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'
import type { EventHub } from '../events.ts'
import type { AnnouncementSchedule } from '../schedule.ts'
import type { ReleaseItem } from '../schemas.ts'
import { announceStored } from './announcing.ts'
import type { Blocking } from './blocking.ts'
import type { Network } from './network.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseItem, releaseName } from './release-shapes.ts'
import type { ChangesService } from './types.ts'

export interface ChangesModules {
  registry: Registry
  content: ContentStore
  access: Pick<ReleaseAccess, 'of'>
  blocking: Pick<Blocking, 'isBlocked'>
  network: Network
  schedule: AnnouncementSchedule
  events: EventHub
  logger: Logger
}

/** For writing the announcement down; discovery goes on with it by itself. */
const ANNOUNCE_TIMEOUT_MS = 5 * SECOND_MS

/**
 * Takes signed changes of releases that are here: statuses, attestations, and new words for the same content. Like a publish, a change is
 * stored durably with the announcement of its name before it is answered, and announced then; so a yank that was answered survives
 * a kill, and whoever looks the name up is told of it. Of what closed libraries alone have nothing is announced.
 */
export function createChanges(modules: ChangesModules): ChangesService {
  const { registry, content, access, blocking, events } = modules

  async function say(recordBytes: Uint8Array, signal: AbortSignal): Promise<ReleaseItem> {
    const record = await expectHere(registry, releaseOf(decodeStatement(recordBytes)), signal)
    const { added } = await registry.publishStatement(recordBytes)
    return await told(record, added, signal)
  }

  async function revise(recordBytes: Uint8Array, signal: AbortSignal): Promise<ReleaseItem> {
    const { release } = decodeRelease(recordBytes)
    const record = await expectHere(registry, release, signal)
    expectSameFacts(record, release)
    const revised = await registry.revise(recordBytes)
    return await told(revised.record, revised.added, signal)
  }

  async function told(record: ReleaseRecord, isNew: boolean, signal: AbortSignal): Promise<ReleaseItem> {
    const { name, version } = record.release
    const { status } = registry.status(record.release) ?? {}
    const item = releaseItem(record, content, {
      status,
      access: await access.of(record),
      isBlocked: blocking.isBlocked(record)
    })
    if (!isNew) return item
    events.emit('release', { name, version, id: item.id, status: item.status })
    // Those who may know of it hear of it by the head of its library.
    if (!registry.isOpen(record)) return item
    const what = { names: [name], ids: [record.id] }
    await announceStored(modules, what, { wait: 0, timeoutMs: ANNOUNCE_TIMEOUT_MS }, signal)
    return item
  }

  return { say, revise }
}

/** RELEASE_NOT_FOUND unless the release is here, with this content. */
async function expectHere(
  registry: Registry,
  { name, version, owner, content }: ReleaseIdentity,
  signal: AbortSignal
): Promise<ReleaseRecord> {
  for await (const entry of registry.entries({ name, version }, signal)) {
    if (!bytesEqual(entry.owner, owner) || !entry.content.equals(content)) continue
    const record = registry.read(entry)
    if (record !== undefined) return record
  }
  throw new CatalogError('RELEASE_NOT_FOUND', `${name}@${version} with this content is not here`, {
    details: { name, version, publisher: formatPublicKey(owner), content: content.toString() },
    hint: `bring it here first: catalog fetch ${name}@${version} --publisher KEY`
  })
}

/** What the content is does not change with the words about it. */
function expectSameFacts(record: ReleaseRecord, { sizeBytes, files, type }: ReleaseRecord['release']): void {
  const { release } = record
  if (sizeBytes === release.sizeBytes && files === release.files && type === release.type) return
  throw new CatalogError('CONTENT_INVALID', `size, files and type of ${releaseName(record)} cannot change`)
}
